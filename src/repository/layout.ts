/** Where the parts of a backup are in a store: `alice-container/20261129-174205-x7k2/data`. */
import { isBackupId } from '../domain/values/backupId.ts';
import { ownerOf } from '../domain/values/username.ts';

/** `data` is what Incus exported, `files` the list of its files, `manifest.json` says that the backup is whole. */
export const parts = ['data', 'files', 'manifest.json', 'verified.json'] as const;
export type Part = (typeof parts)[number];

export interface BackupName {
  /** Name of the container: `alice-container`. */
  readonly container: string;
  readonly id: string;
}

function prefixOf({ container, id }: BackupName): string {
  return `${container}/${id}/`;
}

function keyOf(name: BackupName, part: Part): string {
  return `${prefixOf(name)}${part}`;
}

/** Returns whose key this is; undefined for a key that no backup has. */
function parseKey(key: string): (BackupName & { readonly part: Part }) | undefined {
  const [container = '', id = '', file = '', ...more] = key.split('/');
  const part = parts.find((each) => each === file);
  const isOurs = ownerOf(container) !== undefined && isBackupId(id) && part !== undefined && more.length === 0;
  return isOurs ? { container, id, part } : undefined;
}

export const layout = { prefixOf, keyOf, parseKey };
