/**
 * The steps that operations are made of, each with an undo that needs only the journal.
 *
 * Every undo checks before it acts: it deletes only what carries the mark of its own operation, and restores only what
 * that operation replaced. Before it examines an instance, it waits until Incus has no operation on it, because killing
 * the client does not stop the work in the Incus daemon.
 */
import { Failure } from '../../domain/failure.ts';
import { durationInWords } from '../../domain/values/duration.ts';
import { parseIncusSize } from '../../domain/values/size.ts';
import type { Accounts } from '../../host/accounts.ts';
import type { Incus, InstanceSpec } from '../../host/incus/incus.ts';
import type { IncusImage, IncusOperation } from '../../host/incus/documents.ts';
import type { JumpKeys } from '../../host/jumpKeys.ts';
import type { Zfs } from '../../host/zfs/zfs.ts';
import type { StepKind } from '../../journal/undo/stepKind.ts';
import { isMadeBy, isOurAccount } from './jumpAccount.ts';
import { field, imageProperty } from './metadata.ts';
import { makeBackupSteps, type BackupStepTools } from './backupSteps.ts';
import { makeKeySteps } from './keySteps.ts';
import { makeSnapshotSteps } from './snapshotSteps.ts';

export interface StepTools {
  readonly incus: Incus;
  readonly accounts: Accounts;
  readonly jumpKeys: JumpKeys;
  readonly zfs: Zfs;
  readonly jumpGroup: string;
  readonly repository: BackupStepTools['repository'];
}

export type Steps = ReturnType<typeof makeSteps>;

/** How long an undo waits for operations of Incus, and the pauses between its queries, in milliseconds. */
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
        why: `Incus was still busy with it after ${durationInWords(quietLimitMs)} (${running.map((o) => o.description).join(', ')})`,
        next: 'incus operation list',
      });
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** Resolves once Incus has no operation on the instance. */
function incusQuiet(incus: Incus, instance: string): Promise<void> {
  return quiet(incus, `instance "${instance}"`, ({ resources }) =>
    Object.values(resources ?? {})
      .flat()
      .some((path) => path.split('?')[0]?.endsWith(`/${instance}`)),
  );
}

/**
 * Resolves once Incus is making no image. Its list does not name the source instance, so this waits for every image.
 */
function imagesQuiet(incus: Incus): Promise<void> {
  return quiet(incus, 'making an image', ({ description }) => description === 'Downloading image');
}

/** A size difference that no driver rounds away (ZFS volumes round to 16 KiB), in bytes. */
const sizeStepBytes = 1024 ** 2;

type Facts = { readonly [key: string]: string | number | boolean | null };

/** `was` is the status of the instance before the step; journals of earlier versions lack it. */
type PowerFacts = Facts & { readonly instance: string; readonly was?: string };

export function makeSteps({ incus, accounts, jumpKeys, zfs, jumpGroup, repository }: StepTools) {
  async function deleteOwn({ instance, operation }: { instance: string; operation: string }): Promise<void> {
    await incusQuiet(incus, instance);
    const found = await incus.storedInstance(instance);
    if (found === undefined || found.config[field.operation] !== operation) return;
    await incus.delete(instance);
  }

  const createInstance: StepKind<Facts & { instance: string; operation: string }> = {
    name: 'create-instance',
    undoing: 'deleting the container',
    undo: deleteOwn,
  };

  /** Creates the instance that an image is made from. Undo must not delete it while Incus still reads it. */
  const createBuildInstance: StepKind<Facts & { instance: string; operation: string }> = {
    name: 'create-build-instance',
    undoing: 'deleting the build container',
    temporary: true,
    async undo(facts) {
      await imagesQuiet(incus);
      await deleteOwn(facts);
    },
  };

  /** Renames a stopped instance. */
  const renameInstance: StepKind<Facts & { instance: string; to: string }> = {
    name: 'rename-instance',
    undoing: 'giving the container its name back',
    async undo({ instance, to }) {
      await Promise.all([incusQuiet(incus, instance), incusQuiet(incus, to)]);
      const [before, after] = await Promise.all([incus.storedInstance(instance), incus.storedInstance(to)]);
      if (before === undefined && after !== undefined) await incus.rename(to, instance);
    },
  };

  /** Changes an instance that the same operation created; undo deletes it with the instance. */
  const seedInstance: StepKind<Facts & { instance: string }> = {
    name: 'seed-instance',
    undo: () => Promise.resolve(),
  };

  const createAccount: StepKind<Facts & { user: string; operation: string }> = {
    name: 'create-account',
    undoing: 'removing the jump account',
    apart: true,
    leavable: true,
    async undo({ user, operation }) {
      const [account, groupId] = await Promise.all([accounts.account(user), accounts.groupId(jumpGroup)]);
      if (account === undefined || !isOurAccount(account, groupId) || !isMadeBy(account, operation)) return;
      await accounts.remove(user);
    },
  };

  /** Removes a jump account. Undo restores it with another uid, which nothing refers to. */
  const removeAccount: StepKind<Facts & { user: string; comment: string }> = {
    name: 'remove-account',
    apart: true,
    leavable: true,
    async undo({ user, comment }) {
      if ((await accounts.account(user)) !== undefined) return;
      await accounts.create({ name: user, comment, group: jumpGroup });
    },
  };

  /** Replaces or removes the jump account's keys file. */
  const writeJumpKeys: StepKind<Facts & { user: string; previous: string | null }> = {
    name: 'write-jump-keys',
    undoing: 'putting back the keys of the jump account',
    apart: true,
    leavable: true,
    async undo({ user, previous }) {
      if (previous === null) await jumpKeys.remove(user);
      else await jumpKeys.write(user, previous);
    },
  };

  /** Ends connections of a jump account. Undo does nothing: their clients connect again. */
  const endConnections: StepKind<Facts & { user: string }> = {
    name: 'end-connections',
    leavable: true,
    undo: () => Promise.resolve(),
  };

  async function startAgain(instance: string): Promise<void> {
    await incusQuiet(incus, instance);
    const found = await incus.storedInstance(instance);
    if (found !== undefined && found.status === 'Stopped') await incus.start(instance);
  }

  /** Starts an instance. Undo stops it only if it was stopped before: an instance that ran already stays as it is. */
  const startInstance: StepKind<PowerFacts> = {
    name: 'start-instance',
    undoing: 'stopping the container',
    leavable: true,
    async undo({ instance, was = 'Stopped' }) {
      if (was !== 'Stopped') return;
      await incusQuiet(incus, instance);
      const found = await incus.storedInstance(instance);
      if (found !== undefined && found.status !== 'Stopped') await incus.stop(instance, { force: true });
    },
  };

  /** Stops an instance. Undo starts it only if it ran before, with the init that its root has left there. */
  const stopInstance: StepKind<PowerFacts> = {
    name: 'stop-instance',
    undoing: 'starting the container',
    inside: true,
    leavable: true,
    async undo({ instance, was }) {
      if (was !== 'Stopped') await startAgain(instance);
    },
  };

  /** Restarts an instance. Undo starts one that ran before and was left stopped. */
  const restartInstance: StepKind<PowerFacts> = {
    name: 'restart-instance',
    inside: true,
    leavable: true,
    async undo({ instance, was }) {
      if (was !== 'Stopped') await startAgain(instance);
    },
  };

  /** Changes configuration and devices in one request; `previous` is the same request with the old values. */
  const patchInstance: StepKind<Facts & { instance: string; previous: string }> = {
    name: 'patch-instance',
    leavable: true,
    async undo({ instance, previous }) {
      await incusQuiet(incus, instance);
      const found = await incus.storedInstance(instance);
      if (found === undefined) return;
      const change = JSON.parse(previous) as Partial<InstanceSpec>;
      const other = otherSizes(change);
      if (other !== undefined) await incus.patch(instance, other);
      await incus.patch(instance, change);
    },
  };

  /** Replaces a file in an instance. Its name in the journal is that of its first use. */
  const pushFile: StepKind<Facts & { instance: string; path: string; previous: string }> = {
    name: 'push-keys',
    inside: true,
    leavable: true,
    async undo({ instance, path, previous }) {
      if ((await incus.storedInstance(instance)) === undefined) return;
      await incus.pushFile({ instance, path, content: previous, mode: '0644' });
    },
  };

  /** The last step of a create: from here on the container belongs to the user. */
  const markReady: StepKind<Facts & { instance: string; operation: string }> = {
    name: 'mark-ready',
    undo: () => Promise.resolve(),
    async settled({ instance }) {
      const found = await incus.storedInstance(instance);
      return found?.config[field.state] === 'ready';
    },
  };

  /** The last step of a delete. It cannot be undone, so `settled` asks Incus whether it happened. */
  const deleteInstance: StepKind<Facts & { instance: string }> = {
    name: 'delete-instance',
    undo: () => Promise.resolve(),
    async settled({ instance }) {
      await incusQuiet(incus, instance);
      return (await incus.storedInstance(instance)) === undefined;
    },
  };

  async function imagesMadeBy(operation: string): Promise<IncusImage[]> {
    await imagesQuiet(incus);
    return (await incus.images()).filter((image) => image.properties?.[imageProperty.operation] === operation);
  }

  /**
   * The last step of a build. After Incus has made the image, the client moves the alias to it and deletes the old
   * image. If the client did not get that far, undo deletes the new image and the old one stays.
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

  /** Repairs a difference. Nothing to undo: an unfinished repair is found again by the next `reconcile`. */
  const repair: StepKind<Facts & { difference: string }> = {
    name: 'repair',
    leavable: true,
    undo: () => Promise.resolve(),
  };

  return {
    ...makeKeySteps({ incus, accounts, jumpKeys, jumpGroup }),
    ...makeSnapshotSteps({ incus, quiet: (instance) => incusQuiet(incus, instance) }),
    ...makeBackupSteps({ incus, zfs, quiet: (instance) => incusQuiet(incus, instance), repository }),
    createInstance,
    createBuildInstance,
    renameInstance,
    seedInstance,
    createAccount,
    removeAccount,
    writeJumpKeys,
    endConnections,
    startInstance,
    stopInstance,
    restartInstance,
    patchInstance,
    pushFile,
    markReady,
    deleteInstance,
    publishImage,
    repair,
  };
}

/**
 * Returns the same change with slightly different disk sizes, or undefined if it changes none. A quota that btrfs
 * rejects is enforced all the same. Incus still has the old size, so it sets that again only after a different one.
 */
function otherSizes({ devices }: Partial<InstanceSpec>): Partial<InstanceSpec> | undefined {
  const sized = Object.entries(devices ?? {}).flatMap(([name, device]) => {
    const bytes = parseIncusSize(device['size'] ?? '');
    return bytes === undefined ? [] : [[name, { ...device, size: `${bytes + sizeStepBytes}B` }] as const];
  });
  return sized.length === 0 ? undefined : { devices: Object.fromEntries(sized) };
}
