/**
 * Deletes a container. The steps that can be undone come first; deleting the instance, which cannot be undone, is last.
 * So the container is either whole or gone at any moment.
 */
import { Failure } from '../domain/failure.ts';
import type { DeleteResult } from '../domain/results/changes.ts';
import type { Username } from '../domain/values/username.ts';
import { changeableInstanceOf, toContainer } from './instances/containers.ts';
import type { Call, HostContext } from './instances/context.ts';
import { forcedStop } from './instances/forcedStop.ts';
import { isOurAccount } from './instances/jumpAccount.ts';
import { field } from './instances/metadata.ts';
import { Stages } from './instances/stages.ts';
import { refuseProtected } from './protect.ts';
import { generationsOf } from './snapshots/generations.ts';

export async function deleteContainer(
  context: HostContext,
  { user }: { readonly user: Username },
  call: Call,
): Promise<DeleteResult> {
  const { incus, accounts, jumpKeys, steps } = context;
  const result = await context.operations.run(
    { verb: 'delete', target: user, actor: call.actor, input: {} },
    async () => {
      const instance = await changeableInstanceOf(context, user, { own: true });
      refuseProtected(user, instance);
      const [account, groupId, keys] = await Promise.all([
        accounts.account(user),
        accounts.groupId(context.settings.jump.group),
        jumpKeys.read(user),
      ]);
      return { instance, account: account !== undefined && isOurAccount(account, groupId) ? account : undefined, keys };
    },
    async (operation, { instance, account, keys }) => {
      const { name } = instance;
      const stages = new Stages(call.progress, 4);
      await stages.stage('Closing the jump account', async () => {
        // An empty value unsets a key that was not set before.
        const previous = { config: { [field.state]: instance.config[field.state] ?? '' } };
        await operation.step(steps.patchInstance, { instance: name, previous: JSON.stringify(previous) }, () =>
          incus.patch(name, { config: { [field.state]: 'deleting' } }),
        );
        if (keys !== undefined)
          await operation.step(steps.writeJumpKeys, { user, previous: keys }, () => jumpKeys.remove(user));
      });
      await stages.stage('Stopping container', () => forcedStop(context, operation, instance));
      await stages.stage('Removing jump server account', async () => {
        if (account === undefined) return;
        await operation.step(steps.removeAccount, { user, comment: account.comment }, async () => {
          await accounts.endSessions(user);
          await accounts.remove(user);
        });
      });
      await stages.stage('Deleting container', async () => {
        await operation.step(steps.deleteInstance, { instance: name }, async () => {
          await forgetConsole(context, name);
          await incus.delete(name);
        });
      });
      return { user, container: name, freedBytes: toContainer(instance).diskUsedBytes, operation: operation.id };
    },
  );
  await deleteGenerations(context, user, call).catch((error: unknown) => {
    const { what, why } = Failure.from(error);
    call.progress.note(`Earlier states of the container remain, which "reconcile" names: ${what}: ${why}`);
  });
  return result;
}

/** Deletes the earlier generations of a container that is deleted. */
async function deleteGenerations(context: HostContext, user: Username, call: Call): Promise<void> {
  for (const { name } of await generationsOf(context, user))
    await context.operations.run(
      { verb: 'delete', target: user, actor: call.actor, input: {} },
      () => Promise.resolve(),
      (operation) => operation.step(context.steps.deleteInstance, { instance: name }, () => context.incus.delete(name)),
    );
}

/** Empties the console log, which outlives the container. Never rejects: a log is no reason to keep a container. */
async function forgetConsole({ incus, log }: HostContext, name: string): Promise<void> {
  await incus.clearConsoleLog(name).catch((error: unknown) => {
    log.warn({ instance: name, failure: Failure.from(error).toData() }, 'the console log could not be emptied');
  });
}
