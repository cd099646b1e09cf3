/** The steps of operations on backups. */
import { isFailure } from '../../domain/failure.ts';
import type { Incus } from '../../host/incus/incus.ts';
import type { StepKind } from '../../journal/operations.ts';
import type { BackupName } from '../../repository/layout.ts';
import type { Repository } from '../../repository/repository.ts';
import { field } from './metadata.ts';
import { protectionKey } from './protection.ts';

type ImportFacts = { readonly instance: string; readonly operation: string };
type BackupFacts = { readonly container: string; readonly id: string };

export interface BackupStepTools {
  readonly incus: Pick<Incus, 'instance' | 'patch' | 'rename' | 'delete' | 'backups'>;
  /** Resolves once Incus has no operation on the instance. */
  readonly quiet: (instance: string) => Promise<void>;
  /** Opens the repository. Rejects with `settings` if backups are off. */
  readonly repository: () => Promise<Pick<Repository, 'clear' | 'has'>>;
}

export function makeBackupSteps({ incus, quiet, repository }: BackupStepTools) {
  /** Has Incus write an archive on its disk, which only the operation needs. */
  const exportInstance: StepKind<{ readonly instance: string; readonly backup: string }> = {
    name: 'export-instance',
    temporary: true,
    async undo({ instance, backup }) {
      await quiet(instance);
      if ((await incus.instance(instance)) === undefined) return;
      if ((await incus.backups.list(instance)).includes(backup)) await incus.backups.delete(instance, backup);
    },
  };

  /**
   * Stores a backup under an id that none had. A store that does not answer must not hold the container: what it has
   * got is swept by a later backup, and is no backup without its manifest, which comes last.
   */
  const storeBackup: StepKind<BackupFacts> = {
    name: 'store-backup',
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
  async function deleteImported({ instance, operation }: ImportFacts): Promise<void> {
    await quiet(instance);
    const found = await incus.instance(instance);
    if (found === undefined || !instance.endsWith(`-${operation.toLowerCase()}`)) return;
    if (found.config[protectionKey] !== undefined) await incus.patch(instance, { config: { [protectionKey]: '' } });
    await incus.delete(instance);
  }

  /** Makes an instance of a backup, to be renamed when it is ready. */
  const importBackup: StepKind<ImportFacts> = { name: 'import-backup', undo: deleteImported };

  /**
   * Gives a marked instance of the operation the name of the container. An undo that runs again must not take the name
   * from the container that it has put back there.
   */
  const placeInstance: StepKind<ImportFacts & { readonly to: string }> = {
    name: 'place-instance',
    async undo({ instance, to, operation }) {
      await Promise.all([quiet(instance), quiet(to)]);
      const [before, after] = await Promise.all([incus.instance(instance), incus.instance(to)]);
      if (before !== undefined || after?.config[field.operation] !== operation) return;
      await incus.rename(to, instance);
    },
  };

  /** Makes an instance of a backup that only the operation needs. */
  const makeThrowaway: StepKind<ImportFacts> = { name: 'make-throwaway', temporary: true, undo: deleteImported };

  return { exportInstance, storeBackup, deleteBackup, importBackup, placeInstance, makeThrowaway };
}

/** Returns the repository; undefined if backups were switched off, so that nothing can be looked at. */
async function unlessOff<T>(repository: () => Promise<T>): Promise<T | undefined> {
  return repository().catch((error: unknown) => {
    if (isFailure(error, 'settings')) return undefined;
    throw error;
  });
}
