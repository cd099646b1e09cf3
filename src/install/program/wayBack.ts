/**
 * The name of the release that the one in use has replaced, on disk while it is not known whether the new one works: an
 * upgrade may be cut in between, and what comes after it must still be able to go back.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { exists } from '../../prepare/files.ts';
import { below, releasesFolder } from './layout.ts';

const fileName = 'way-back';

/** Returns the remembered release below `root`, unless its files are gone. */
export async function wayBack(root: string): Promise<string | undefined> {
  const folder = below(root, releasesFolder);
  const path = join(folder, fileName);
  if (!(await exists(path))) return undefined;
  const name = (await readFile(path, 'utf8')).trim();
  return name !== '' && (await exists(join(folder, name))) ? name : undefined;
}

/** Remembers a release, or forgets it. */
export async function setWayBack(root: string, name: string | undefined): Promise<void> {
  const path = join(below(root, releasesFolder), fileName);
  if (name === undefined) await rm(path, { force: true });
  else await writeFileAtomic(path, `${name}\n`, { mode: 0o644 });
}
