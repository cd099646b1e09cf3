/** The steps of operations on backups. */
import { isFailure } from '../../domain/failure.ts';
import type { IncusInstance } from '../../host/incus/documents.ts';
import type { Incus } from '../../host/incus/incus.ts';
import type { Zfs } from '../../host/zfs/zfs.ts';
import type { StepKind } from '../../journal/undo/stepKind.ts';
import type { BackupName } from '../../repository/layout.ts';
import type { Repository } from '../../repository/repository.ts';
import { field } from './metadata.ts';
import { protectionKey } from './protection.ts';

/** `receives` is set if programs of ZFS write the files, which may outlive this process. */
type ImportFacts = { readonly instance: string; readonly operation: string; readonly receives?: boolean };
type BackupFacts = { readonly container: string; readonly id: string };

export interface BackupStepTools {
  readonly incus: Pick<Incus, 'storedInstance' | 'patch' | 'delete' | 'backups' | 'snapshots'>;
  readonly zfs: Pick<Zfs, 'stop' | 'bookmarks' | 'deleteBookmark'>;
  /** Resolves once Incus has no operation on the instance. */
  readonly quiet: (instance: string) => Promise<void>;
  /** Opens the repository. Rejects with `settings` if backups are off. */
  readonly repository: () => Promise<Pick<Repository, 'clear' | 'has'>>;
}

export function makeBackupSteps({ incus, zfs, quiet, repository }: BackupStepTools) {
  /** Has Incus write an archive on its disk, which only the operation needs. */
  const exportInstance: StepKind<{ readonly instance: string; readonly backup: string }> = {
    name: 'export-instance',
    undoing: 'deleting the export',
    temporary: true,
    async undo({ instance, backup }) {
      await quiet(instance);
      if ((await incus.storedInstance(instance)) === undefined) return;
      if ((await incus.backups.list(instance)).includes(backup)) await incus.backups.delete(instance, backup);
    },
  };

  /** Makes a snapshot that is sent, which only the operation needs. Its name is that of the operation. */
  const snapshotForBackup: StepKind<{
    readonly instance: string;
    readonly snapshot: string;
    readonly operation: string;
  }> = {
    name: 'snapshot-for-backup',
    temporary: true,
    async undo({ instance, snapshot, operation }) {
      // A snapshot that is being read cannot be deleted.
      await zfs.stop(operation);
      await quiet(instance);
      if ((await incus.storedInstance(instance)) === undefined) return;
      const found = await incus.snapshots.list(instance);
      if (found.some(({ name }) => name === snapshot)) await incus.snapshots.delete(instance, snapshot);
    },
  };

  /** Makes a bookmark of the snapshot, on which the next backup can build. Its name is that of the backup. */
  const bookmarkSnapshot: StepKind<{
    readonly instance: string;
    readonly dataset: string;
    readonly bookmark: string;
    readonly operation: string;
  }> = {
    name: 'bookmark-snapshot',
    async undo({ instance, dataset, bookmark, operation }) {
      await zfs.stop(operation);
      if ((await incus.storedInstance(instance)) === undefined) return;
      const found = await zfs.bookmarks(dataset);
      if (found.some(({ name }) => name === bookmark)) await zfs.deleteBookmark(dataset, bookmark, operation);
    },
  };

  /**
   * Stores a backup under an id that none had. A store that does not answer must not hold the container: what it has
   * got is swept by a later backup, and is no backup without its manifest, which comes last.
   */
  const storeBackup: StepKind<BackupFacts> = {
    name: 'store-backup',
    undoing: 'deleting what was stored',
    async undo(name) {
      const found = await unlessOff(repository);
      await found?.clear(name).catch((error: unknown) => {
        if (!isFailure(error, 'store-unavailable')) throw error;
      });
    },
  };

  /** Deletes the manifest of a backup, which cannot be undone: `settled` asks the stores whether it happened. */
  const deleteBackup: StepKind<BackupFacts> = {
    name: 'delete-backup',
    undo: () => Promise.resolve(),
    async settled(name: BackupName) {
      return !((await (await unlessOff(repository))?.has(name)) ?? true);
    },
  };

  /**
   * Deletes an instance that an operation has made of a backup, under a name that none had. Until it is marked, it has
   * the configuration of the backup, so its name says whose it is.
   */
  async function deleteImported({ instance, operation, receives = false }: ImportFacts): Promise<void> {
    if (receives) await zfs.stop(operation);
    await quiet(instance);
    const found = await incus.storedInstance(instance);
    if (found !== undefined && instance.endsWith(`-${operation.toLowerCase()}`)) await deleteProtected(found);
  }

  async function deleteProtected({ name, config }: IncusInstance): Promise<void> {
    if (config[protectionKey] !== undefined) await incus.patch(name, { config: { [protectionKey]: '' } });
    await incus.delete(name);
  }

  /** Makes an instance of a backup, to be renamed when it is ready. */
  const importBackup: StepKind<ImportFacts> = {
    name: 'import-backup',
    undoing: 'deleting the container',
    undo: deleteImported,
  };

  /**
   * Gives a marked instance of the operation the name of the container. Undo deletes it under that name: after its
   * files were written, a rename would make the next change of it wait 15 s (src/service/backups/importing.ts). An undo
   * that runs again must not delete the container that it has put back there, which has another mark.
   */
  const placeInstance: StepKind<ImportFacts & { readonly to: string }> = {
    name: 'place-instance',
    undoing: 'taking the container back',
    async undo({ instance, to, operation }) {
      await Promise.all([quiet(instance), quiet(to)]);
      const placed = await incus.storedInstance(to);
      if (placed?.config[field.operation] === operation) await deleteProtected(placed);
    },
  };

  /** Makes an instance of a backup that only the operation needs. */
  const makeThrowaway: StepKind<ImportFacts> = {
    name: 'make-throwaway',
    undoing: 'deleting the throwaway container',
    temporary: true,
    undo: deleteImported,
  };

  return {
    exportInstance,
    snapshotForBackup,
    bookmarkSnapshot,
    storeBackup,
    deleteBackup,
    importBackup,
    placeInstance,
    makeThrowaway,
  };
}

/** Returns the repository; undefined if backups were switched off, so that nothing can be looked at. */
async function unlessOff<T>(repository: () => Promise<T>): Promise<T | undefined> {
  return repository().catch((error: unknown) => {
    if (isFailure(error, 'settings')) return undefined;
    throw error;
  });
}
