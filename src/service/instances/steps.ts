/**
 * The steps that operations are made of, each with the undo that takes it back from the journal alone.
 *
 * Every undo looks before it acts: it deletes only what carries the mark of its own operation, and puts back only what
 * this operation replaced. Before it looks at an instance it waits until Incus itself has nothing under way there,
 * because killing the client does not stop the work in its server.
 */
import { Failure } from '../../domain/failure.ts';
import { parseIncusSize } from '../../domain/values/size.ts';
import type { Accounts } from '../../host/accounts.ts';
import type { Incus, InstanceSpec } from '../../host/incus/incus.ts';
import type { IncusImage, IncusOperation } from '../../host/incus/documents.ts';
import type { JumpKeys } from '../../host/jumpKeys.ts';
import type { StepKind } from '../../journal/operations.ts';
import { isMadeBy, isOurAccount } from './jumpAccount.ts';
import { field, imageProperty } from './metadata.ts';

export interface StepTools {
  readonly incus: Incus;
  readonly accounts: Accounts;
  readonly jumpKeys: JumpKeys;
  readonly jumpGroup: string;
}

export type Steps = ReturnType<typeof makeSteps>;

/** How long an undo waits for work that Incus still has under way, and how often it looks, in milliseconds. */
const quietLimitMs = 120_000;
const firstQuietPauseMs = 25;
const maxQuietPauseMs = 500;

async function quiet(incus: Incus, what: string, concerns: (operation: IncusOperation) => boolean): Promise<void> {
  const deadline = performance.now() + quietLimitMs;
  for (let pauseMs = firstQuietPauseMs; ; pauseMs = Math.min(pauseMs * 2, maxQuietPauseMs)) {
    const running = (await incus.runningOperations()).filter(concerns);
    if (running.length === 0) return;
    if (performance.now() > deadline) {
      throw new Failure('timeout', {
        what,
        why: `Incus has been busy with it for ${quietLimitMs / 1000} s (${running.map((o) => o.description).join(', ')})`,
        next: 'incus operation list',
      });
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** Resolves once no operation of Incus concerns the instance any more. */
export function incusQuiet(incus: Incus, instance: string): Promise<void> {
  return quiet(incus, `instance "${instance}"`, ({ resources }) =>
    Object.values(resources ?? {})
      .flat()
      .some((path) => path.split('?')[0]?.endsWith(`/${instance}`)),
  );
}

/**
 * Resolves once Incus makes no image any more. Its list does not say of which instance it makes one, so it is every
 * image.
 */
function imagesQuiet(incus: Incus): Promise<void> {
  return quiet(incus, 'making an image', ({ description }) => description === 'Downloading image');
}

/** A difference that every driver's rounding leaves one (ZFS volumes: 16 KiB), in bytes. */
const sizeStepBytes = 1024 ** 2;

type Facts = { readonly [key: string]: string | number | boolean | null };

export function makeSteps({ incus, accounts, jumpKeys, jumpGroup }: StepTools) {
  async function deleteOwn({ instance, operation }: { instance: string; operation: string }): Promise<void> {
    await incusQuiet(incus, instance);
    const found = await incus.instance(instance);
    if (found === undefined || found.config[field.operation] !== operation) return;
    await incus.delete(instance);
  }

  const createInstance: StepKind<Facts & { instance: string; operation: string }> = {
    name: 'create-instance',
    undo: deleteOwn,
  };

  /** An instance to make an image of. It must not go while Incus still reads it. */
  const createBuildInstance: StepKind<Facts & { instance: string; operation: string }> = {
    name: 'create-build-instance',
    temporary: true,
    async undo(facts) {
      await imagesQuiet(incus);
      await deleteOwn(facts);
    },
  };

  /** What is done to an instance that the same operation made: it goes with it. */
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
      const found = await incus.instance(instance);
      if (found === undefined) return;
      const change = JSON.parse(previous) as Partial<InstanceSpec>;
      const other = otherSizes(change);
      if (other !== undefined) await incus.patch(instance, other);
      await incus.patch(instance, change);
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

  async function imagesMadeBy(operation: string): Promise<IncusImage[]> {
    await imagesQuiet(incus);
    return (await incus.images()).filter((image) => image.properties?.[imageProperty.operation] === operation);
  }

  /**
   * The last step of a build. Giving the image its alias, and deleting the image that had it, is the client's work
   * after Incus has made the image: where the client did not come so far, the image goes again and the one before
   * stays.
   */
  const publishImage: StepKind<Facts & { alias: string; operation: string }> = {
    name: 'publish-image',
    async undo({ operation }) {
      for (const { fingerprint } of await imagesMadeBy(operation)) await incus.deleteImage(fingerprint);
    },
    async settled({ alias, operation }) {
      return (await imagesMadeBy(operation)).some(({ aliases }) => aliases?.some(({ name }) => name === alias));
    },
  };

  /** Putting right what `reconcile` found: it is as Incus says, or it is found again. */
  const repair: StepKind<Facts & { difference: string }> = {
    name: 'repair',
    undo: () => Promise.resolve(),
  };

  return {
    createInstance,
    createBuildInstance,
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
    repair,
  };
}

/**
 * The same change with other disk sizes, or undefined where it names none. A quota that btrfs refuses stays in force
 * all the same, and Incus, for which nothing has changed then, sets the old size again only after another one.
 */
function otherSizes({ devices }: Partial<InstanceSpec>): Partial<InstanceSpec> | undefined {
  const sized = Object.entries(devices ?? {}).flatMap(([name, device]) => {
    const bytes = parseIncusSize(device['size'] ?? '');
    return bytes === undefined ? [] : [[name, { ...device, size: `${bytes + sizeStepBytes}B` }] as const];
  });
  return sized.length === 0 ? undefined : { devices: Object.fromEntries(sized) };
}
