/** The steps of operations on snapshots. */
import type { Incus } from '../../host/incus/incus.ts';
import type { IncusSnapshot } from '../../host/incus/snapshots.ts';
import type { StepKind } from '../../journal/undo/stepKind.ts';

type SnapshotFacts = { readonly instance: string; readonly snapshot: string };

export interface SnapshotStepTools {
  readonly incus: Pick<Incus, 'storedInstance' | 'snapshots'>;
  /** Resolves once Incus has no operation on the instance. */
  readonly quiet: (instance: string) => Promise<void>;
}

export function makeSnapshotSteps({ incus, quiet }: SnapshotStepTools) {
  async function find({ instance, snapshot }: SnapshotFacts): Promise<IncusSnapshot | undefined> {
    await quiet(instance);
    if ((await incus.storedInstance(instance)) === undefined) return undefined;
    return (await incus.snapshots.list(instance)).find(({ name }) => name === snapshot);
  }

  /** Makes a snapshot of a name that no snapshot had. `since` is the time before, as Incus would write it. */
  const createSnapshot: StepKind<SnapshotFacts & { readonly since: string }> = {
    name: 'create-snapshot',
    undoing: 'deleting the snapshot',
    async undo(facts) {
      const found = await find(facts);
      // An older one is not of this operation.
      if (found === undefined || Date.parse(found.createdAt) < Date.parse(facts.since)) return;
      await incus.snapshots.delete(facts.instance, facts.snapshot);
    },
  };

  /** Puts a stopped instance back to a snapshot. Undo puts it back to the one that was made of it before. */
  const restoreSnapshot: StepKind<SnapshotFacts & { readonly before: string }> = {
    name: 'restore-snapshot',
    undoing: 'putting back the files of before',
    async undo({ instance, before }) {
      if ((await find({ instance, snapshot: before })) === undefined) return;
      await incus.snapshots.restore(instance, before);
    },
  };

  const renameSnapshot: StepKind<SnapshotFacts & { readonly to: string }> = {
    name: 'rename-snapshot',
    async undo({ instance, snapshot, to }) {
      const renamed = await find({ instance, snapshot: to });
      if (renamed !== undefined) await incus.snapshots.rename(instance, to, snapshot);
    },
  };

  /** Deletes a snapshot, which cannot be undone: `settled` asks Incus whether it happened. */
  const deleteSnapshot: StepKind<SnapshotFacts> = {
    name: 'delete-snapshot',
    undo: () => Promise.resolve(),
    settled: async (facts) => (await find(facts)) === undefined,
  };

  return { createSnapshot, restoreSnapshot, renameSnapshot, deleteSnapshot };
}
