/** Backups of ZFS that build on others: the base of the next one, and which ones others need. */
import { Failure } from '../../domain/failure.ts';
import type { Username } from '../../domain/values/username.ts';
import { busy } from '../../journal/turns.ts';
import type { ZfsMark } from '../../host/zfs/zfs.ts';
import type { ZfsManifest } from '../../repository/manifest.ts';
import type { KeptBackup, Repository } from '../../repository/repository.ts';
import type { HostContext } from '../instances/context.ts';
import { backupTarget } from './shared.ts';

const bookmarkPrefix = 'containarium-';

/** Returns the name of the bookmark of a backup's snapshot. */
export function bookmarkOf(id: string): string {
  return `${bookmarkPrefix}${id}`;
}

/** What the next backup of a container can build on. */
export interface Bases {
  /** Undefined if the next one has to be a full one. */
  readonly base: ZfsManifest | undefined;
  /** The bookmarks of ours that no stored backup can use. */
  readonly stale: readonly string[];
}

/**
 * Finds the base of the next backup: the newest stored one whose snapshot a bookmark still marks. ZFS compares the
 * guid of the two, so what happened to either decides only whether the next backup is larger.
 */
export async function findBases(
  { zfs, operations, settings }: Pick<HostContext, 'zfs' | 'operations' | 'settings'>,
  repository: Repository,
  { user, container, dataset }: { readonly user: Username; readonly container: string; readonly dataset: string },
): Promise<Bases> {
  const [kept, marks] = await Promise.all([repository.list(container), zfs.bookmarks(dataset)]);
  const isUsable = (backup: KeptBackup): backup is KeptBackup & { readonly manifest: ZfsManifest } =>
    backup.manifest?.version === 2 &&
    backup.isEverywhere &&
    // What would build on a damaged one could not be restored either.
    backup.trouble === undefined &&
    operations.holder(backupTarget(user, backup.id)) === undefined;
  const usable = new Map(kept.filter(isUsable).map(({ id, manifest }) => [id, manifest]));
  const newest = [...usable.values()]
    .filter((manifest) => marks.some((mark) => isOf(mark, manifest)))
    .sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt))[0];
  const length = newest === undefined ? undefined : chainLength(newest, usable);
  // Who can read the base must be who can read what builds on it.
  const canGrow =
    length !== undefined &&
    length < settings.backups.fullEvery &&
    newest?.recipientsSha256 === repository.recipientsSha256;
  const stored = kept.flatMap(({ manifest }) => (manifest?.version === 2 ? [manifest] : []));
  return {
    base: canGrow ? newest : undefined,
    stale: marks
      .filter((mark) => mark.name.startsWith(bookmarkPrefix) && !stored.some((manifest) => isOf(mark, manifest)))
      .map(({ name }) => name),
  };
}

function isOf({ name, guid }: ZfsMark, manifest: ZfsManifest): boolean {
  return name === bookmarkOf(manifest.id) && guid === manifest.guid;
}

/** Returns the number of backups that are needed to restore this one; undefined if one of them is missing. */
function chainLength(manifest: ZfsManifest, usable: ReadonlyMap<string, ZfsManifest>): number | undefined {
  const seen = new Set<string>();
  for (let each: ZfsManifest | undefined = manifest; each !== undefined; each = usable.get(each.base)) {
    if (seen.has(each.id)) return undefined;
    seen.add(each.id);
    if (each.base === null) return seen.size;
  }
  return undefined;
}

/** Refuses to delete a backup that others need, or that the backup that is being made may need. */
export function requireUnneeded(
  { operations }: Pick<HostContext, 'operations'>,
  user: Username,
  id: string,
  kept: readonly KeptBackup[],
): void {
  const making = operations.holder(user);
  if (making?.verb === 'backup create') throw busy(user, making);
  const needing = kept.filter(({ manifest }) => manifest?.version === 2 && manifest.base === id);
  if (needing.length === 0) return;
  throw new Failure('wrong-state', {
    what: `backup ${id}`,
    why: `${needing.map((backup) => backup.id).join(', ')} ${needing.length === 1 ? 'builds' : 'build'} on it and cannot be restored without it`,
    next: `delete what builds on it first: see "backup list ${user}"`,
    details: { needing: needing.map((backup) => backup.id) },
  });
}
