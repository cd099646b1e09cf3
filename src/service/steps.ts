/**
 * The steps that operations are made of, each with the undo that takes it back from the journal alone.
 *
 * Every undo looks before it acts: it deletes only what carries the mark of its own operation, and puts back only what this operation
 * replaced. Before it looks at an instance it waits until Incus itself has nothing under way there, because killing the client does not
 * stop the work in its server.
 */
import { Failure } from '../domain/failure.ts';
import type { Accounts } from '../host/accounts.ts';
import type { Incus, InstanceSpec } from '../host/incus.ts';
import type { JumpKeys } from '../host/jumpKeys.ts';
import type { StepKind } from '../journal/operations.ts';
import { isMadeBy, isOurAccount } from './jumpAccount.ts';
import { field } from './metadata.ts';

export interface StepTools {
  readonly incus: Incus;
  readonly accounts: Accounts;
  readonly jumpKeys: JumpKeys;
  readonly jumpGroup: string;
}

export type Steps = ReturnType<typeof makeSteps>;

/** How long an undo waits for work that Incus still has under way, and how often it looks. */
const quietLimitMs = 120_000;
const quietPollMs = 200;

/** Resolves once no operation of Incus concerns the instance any more. */
export async function incusQuiet(incus: Incus, instance: string): Promise<void> {
  const deadline = Date.now() + quietLimitMs;
  for (;;) {
    const running = (await incus.runningOperations()).filter((operation) =>
      Object.values(operation.resources ?? {})
        .flat()
        .some((path) => path.split('?')[0]?.endsWith(`/${instance}`)),
    );
    if (running.length === 0) return;
    if (Date.now() > deadline) {
      throw new Failure('timeout', {
        what: `instance "${instance}"`,
        why: `Incus has been busy with it for ${quietLimitMs / 1000} s (${running.map((o) => o.description).join(', ')})`,
        next: 'incus operation list',
      });
    }
    await new Promise((resolve) => setTimeout(resolve, quietPollMs));
  }
}

type Facts = { readonly [key: string]: string | number | boolean | null };

export function makeSteps({ incus, accounts, jumpKeys, jumpGroup }: StepTools) {
  const createInstance: StepKind<Facts & { instance: string; operation: string }> = {
    name: 'create-instance',
    async undo({ instance, operation }) {
      await incusQuiet(incus, instance);
      const found = await incus.instance(instance);
      if (found === undefined || found.config[field.operation] !== operation) return;
      await incus.delete(instance);
    },
  };

  /** Files pushed into an instance that the same operation made: they go with it. */
  const seedInstance: StepKind<Facts & { instance: string }> = {
    name: 'seed-instance',
    undo: () => Promise.resolve(),
  };

  const createAccount: StepKind<Facts & { user: string; operation: string }> = {
    name: 'create-account',
    async undo({ user, operation }) {
      const [account, groupId] = await Promise.all([accounts.account(user), accounts.groupId(jumpGroup)]);
      if (account === undefined || !isOurAccount(account, groupId) || !isMadeBy(account, operation)) return;
      await accounts.endSessions(user);
      await accounts.remove(user);
    },
  };

  /** Removing an account of ours; put back as it was, except for its number, which nothing refers to. */
  const removeAccount: StepKind<Facts & { user: string; comment: string }> = {
    name: 'remove-account',
    async undo({ user, comment }) {
      if ((await accounts.account(user)) !== undefined) return;
      await accounts.create({ name: user, comment, group: jumpGroup });
    },
  };

  /** Replacing or removing (`text` null) the jump account's keys file. */
  const writeJumpKeys: StepKind<Facts & { user: string; previous: string | null }> = {
    name: 'write-jump-keys',
    async undo({ user, previous }) {
      if (previous === null) await jumpKeys.remove(user);
      else await jumpKeys.write(user, previous);
    },
  };

  const startInstance: StepKind<Facts & { instance: string }> = {
    name: 'start-instance',
    async undo({ instance }) {
      await incusQuiet(incus, instance);
      const found = await incus.instance(instance);
      if (found !== undefined && found.status !== 'Stopped') await incus.stop(instance, { force: true });
    },
  };

  const stopInstance: StepKind<Facts & { instance: string }> = {
    name: 'stop-instance',
    async undo({ instance }) {
      await incusQuiet(incus, instance);
      const found = await incus.instance(instance);
      if (found !== undefined && found.status === 'Stopped') await incus.start(instance);
    },
  };

  /** Restarting has nothing to take back, but an instance that was left stopped half-way is started. */
  const restartInstance: StepKind<Facts & { instance: string }> = {
    name: 'restart-instance',
    async undo({ instance }) {
      await incusQuiet(incus, instance);
      const found = await incus.instance(instance);
      if (found !== undefined && found.status === 'Stopped') await incus.start(instance);
    },
  };

  /** One request that changes configuration and devices; `previous` is the same request with the old values. */
  const patchInstance: StepKind<Facts & { instance: string; previous: string }> = {
    name: 'patch-instance',
    async undo({ instance, previous }) {
      await incusQuiet(incus, instance);
      if ((await incus.instance(instance)) === undefined) return;
      await incus.patch(instance, JSON.parse(previous) as InstanceSpec);
    },
  };

  const pushKeys: StepKind<Facts & { instance: string; path: string; previous: string }> = {
    name: 'push-keys',
    async undo({ instance, path, previous }) {
      if ((await incus.instance(instance)) === undefined) return;
      await incus.pushFile({ instance, path, content: previous, mode: '0644' });
    },
  };

  /** The last step of a create: from here on the container is the user's. */
  const markReady: StepKind<Facts & { instance: string; operation: string }> = {
    name: 'mark-ready',
    undo: () => Promise.resolve(),
    async settled({ instance }) {
      const found = await incus.instance(instance);
      return found?.config[field.state] === 'ready';
    },
  };

  /** The last step of a delete: cannot be undone, so it is asked of Incus whether it happened. */
  const deleteInstance: StepKind<Facts & { instance: string }> = {
    name: 'delete-instance',
    undo: () => Promise.resolve(),
    async settled({ instance }) {
      await incusQuiet(incus, instance);
      return (await incus.instance(instance)) === undefined;
    },
  };

  /** A finished image stays even when what comes after it fails: one more image does no harm, and the next create needs it. */
  const publishImage: StepKind<Facts & { alias: string }> = {
    name: 'publish-image',
    undo: () => Promise.resolve(),
  };

  return {
    createInstance,
    seedInstance,
    createAccount,
    removeAccount,
    writeJumpKeys,
    startInstance,
    stopInstance,
    restartInstance,
    patchInstance,
    pushKeys,
    markReady,
    deleteInstance,
    publishImage,
  };
}
