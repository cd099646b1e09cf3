/**
 * Deletes a container: it moves to the trash, from which it can be restored, or is purged at once. Its user loses the
 * way in first, because that is what most deletions are urgent about. Only a purge has a step that cannot be undone,
 * and it is the last, so the container is either whole or gone at any moment.
 */
import { throwIfCancelled, toItsEnd } from '../domain/cancellation.ts';
import { Failure } from '../domain/failure.ts';
import type { DeleteResult } from '../domain/results/changes.ts';
import { parseSpan } from '../domain/values/duration.ts';
import type { Username } from '../domain/values/username.ts';
import type { Account } from '../host/accounts.ts';
import type { IncusInstance } from '../host/incus/documents.ts';
import type { Running } from '../journal/operations.ts';
import { createBackup } from './backups.ts';
import { verifyBackup } from './backups/verify.ts';
import { changeableInstanceOf, toContainer } from './instances/containers.ts';
import type { Call, HostContext } from './instances/context.ts';
import { forcedStop } from './instances/forcedStop.ts';
import { isOurAccount } from './instances/jumpAccount.ts';
import { field } from './instances/metadata.ts';
import { Stages } from './instances/stages.ts';
import { refuseProtected } from './protect.ts';
import { generationsOf } from './snapshots/generations.ts';
import { moveToTrash } from './trash/move.ts';
import { deleteInstanceStep } from './trash/purge.ts';

export interface DeleteRequest {
  readonly user: Username;
  /** Delete it at once, without the trash. */
  readonly purge?: boolean | undefined;
  /** Make a backup before, and verify it. */
  readonly backup?: boolean | undefined;
}

/** What a deletion begins with. */
interface Doomed {
  readonly user: Username;
  readonly instance: IncusInstance;
  readonly account: Account | undefined;
  readonly keys: string | undefined;
  readonly generations: readonly IncusInstance[];
}

export async function deleteContainer(
  context: HostContext,
  { user, purge = false, backup: wantsBackup = false }: DeleteRequest,
  call: Call,
): Promise<DeleteResult> {
  const backup = wantsBackup ? await backUp(context, user, purge, call) : null;
  throwIfCancelled();
  return toItsEnd(() => deleteNow(context, { user, purge, backup }, call));
}

async function deleteNow(
  context: HostContext,
  { user, purge, backup }: { readonly user: Username; readonly purge: boolean; readonly backup: string | null },
  call: Call,
): Promise<DeleteResult> {
  const { operations, settings, now } = context;
  const { result, generations } = await operations.run(
    { verb: 'delete', target: user, actor: call.actor, input: purge ? { purge } : {}, takesOver: true },
    () => find(context, user),
    async (operation, doomed) => {
      const { instance, generations } = doomed;
      const stages = new Stages(call.progress, 4);
      await closeAccount(context, operation, doomed, stages);
      await stages.stage('Stopping container', () => forcedStop(context, operation, instance));
      const result = { user, container: instance.name, backup, operation: operation.id };
      if (purge) {
        await stages.stage('Deleting container', () => deleteInstanceStep(context, operation, instance.name));
        const freedBytes = toContainer(instance).diskUsedBytes;
        return { result: { ...result, freedBytes, trash: null }, generations };
      }
      const at = now();
      const until = new Date(at.getTime() + parseSpan(settings.trash.keep)).toISOString();
      let name = '';
      await stages.stage('Moving container to the trash', async () => {
        const record = { user, at: at.toISOString(), by: call.actor.name, until };
        name = await moveToTrash(context, operation, { instance, generations, record });
        return `kept until ${until.slice(0, 16)}Z`;
      });
      return { result: { ...result, freedBytes: null, trash: { name, until } }, generations: [] };
    },
  );
  for (const { name } of generations)
    await operations
      .run(
        { verb: 'delete', target: user, actor: call.actor, input: { purge } },
        () => Promise.resolve(),
        (operation) => deleteInstanceStep(context, operation, name),
      )
      .catch((error: unknown) => {
        const { what, why } = Failure.from(error);
        call.progress.note(`An earlier state of the container remains, which "reconcile" names: ${what}: ${why}`);
      });
  return result;
}

/**
 * Makes a backup and verifies it, and returns its id. An encrypted one cannot be verified without its key, so it is no
 * reason to delete a container for good.
 */
async function backUp(context: HostContext, user: Username, purge: boolean, call: Call): Promise<string> {
  const instance = await changeableInstanceOf(context, user);
  refuseProtected(user, instance);
  if (purge && context.settings.backups.recipients.length > 0)
    throw new Failure('wrong-state', {
      what: `a purge of container "${instance.name}" after a backup`,
      why: 'backups are encrypted, so this host cannot verify one before it deletes the container',
      next: `"backup create ${user}", then "backup verify ${user} latest --identity -", then "delete ${user} --purge"; or leave out --purge`,
    });
  const { backup } = await createBackup(context, { user }, { ...call, recorded: { user } });
  const { id, isEncrypted } = backup;
  if (isEncrypted) call.progress.note(`Backup ${id} is encrypted, so this host could not verify it`);
  else await verifyBackup(context, { user, backup: id }, { ...call, recorded: { user, backup: id } });
  return id;
}

async function find(context: HostContext, user: Username): Promise<Doomed> {
  const { accounts, jumpKeys, settings } = context;
  const instance = await changeableInstanceOf(context, user, { own: true });
  refuseProtected(user, instance);
  const [account, groupId, keys, generations] = await Promise.all([
    accounts.account(user),
    accounts.groupId(settings.jump.group),
    jumpKeys.read(user),
    generationsOf(context, user),
  ]);
  const ours = account !== undefined && isOurAccount(account, groupId) ? account : undefined;
  return { user, instance, account: ours, keys, generations };
}

/** Takes the user's way in: the keys first, then the account with its connections. */
async function closeAccount(
  context: HostContext,
  operation: Running,
  { user, instance, account, keys }: Doomed,
  stages: Stages,
): Promise<void> {
  const { incus, accounts, jumpKeys, steps } = context;
  await stages.stage('Closing the jump account', async () => {
    // An empty value unsets a key that was not set before.
    const previous = { config: { [field.state]: instance.config[field.state] ?? '' } };
    await operation.step(steps.patchInstance, { instance: instance.name, previous: JSON.stringify(previous) }, () =>
      incus.patch(instance.name, { config: { [field.state]: 'deleting' } }),
    );
    if (keys !== undefined)
      await operation.step(steps.writeJumpKeys, { user, previous: keys }, () => jumpKeys.remove(user));
  });
  await stages.stage('Removing jump server account', async () => {
    if (account === undefined) return;
    await operation.step(steps.removeAccount, { user, comment: account.comment }, () => accounts.remove(user));
  });
}
