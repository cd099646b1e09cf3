/**
 * Puts the program of a release in place. Each release has a folder of its own, and `installedProgram` is a symbolic
 * link to the one in use, so that a new one takes its place at once, and the one before can take it back.
 */
import { mkdir, readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { Failure, isFailure } from '../../domain/failure.ts';
import { exists } from '../../prepare/files.ts';
import { run } from '../../prepare/programs.ts';
import { installedProgram } from '../../settings/home.ts';
import { below, commandText, installedCommand, releasesFolder } from './layout.ts';
import { releaseIn, verifyRelease, type Release } from './release.ts';

const copyMs = 10 * 60_000;

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** Returns the folder name of a release, which is the same for the same files. */
export function releaseName({ version, id }: Pick<Release, 'version' | 'id'>): string {
  return `${version}-${id.slice(0, 12)}`;
}

/** Returns the name of the release in use below `root`, or `undefined`. */
export async function releaseInUse(root: string): Promise<string | undefined> {
  try {
    return basename(await readlink(below(root, installedProgram)));
  } catch (error) {
    if (isMissing(error)) return undefined;
    // Versions before 0.5.0 had a folder here and not a link.
    if (error instanceof Error && 'code' in error && error.code === 'EINVAL') return undefined;
    throw error;
  }
}

/** Copies a release to its folder below `root`, if it is not there undamaged. Resolves to its name. Can be repeated. */
export async function placeRelease(root: string, release: Release): Promise<string> {
  const name = releaseName(release);
  const folder = below(root, releasesFolder);
  const target = join(folder, name);
  const isThere = await exists(target);
  if (isThere && (await isUndamaged(target, release))) return name;
  const fresh = `${target}.new`;
  await mkdir(folder, { recursive: true, mode: 0o755 });
  await rm(fresh, { recursive: true, force: true });
  // A file that another account opens before it has its mode stays open, and writable.
  await mkdir(fresh, { mode: 0o700 });
  const copy = join(fresh, 'program');
  // cp(1) takes a fraction of the time of Node's for thousands of files.
  const copied = ['--recursive', '--no-dereference', '--preserve=links,timestamps'];
  await run('cp', [...copied, release.folder, copy], { timeoutMs: copyMs });
  // The front reads it as a user of its own, whatever the umask was when the archive was unpacked.
  await run('chmod', ['--recursive', 'u=rwX,go=rX,a-st', copy], { timeoutMs: copyMs });
  await requireSame(copy, release);
  // A rename may reach the disk before the content of the files does.
  await run('sync', ['--file-system', copy], { timeoutMs: copyMs });
  if (isThere) await rename(target, join(fresh, 'damaged'));
  await rename(copy, target);
  await rm(fresh, { recursive: true });
  return name;
}

async function isUndamaged(target: string, release: Release): Promise<boolean> {
  try {
    await requireSame(target, release);
    return true;
  } catch (error) {
    if (isFailure(error, 'release-damaged', 'settings')) return false;
    throw error;
  }
}

/** Refuses a copy with other files than the release had when it was verified. Its folder may be another account's. */
async function requireSame(copy: string, release: Release): Promise<void> {
  await verifyRelease(copy);
  if ((await releaseIn(copy)).id === release.id) return;
  throw new Failure('release-damaged', {
    what: `the release in ${release.folder}`,
    why: 'it changed while it was copied',
    next: 'unpack the archive in a folder that only root can write to, and try again',
  });
}

/** Makes a release the one in use. */
export async function useRelease(root: string, name: string): Promise<void> {
  const link = below(root, installedProgram);
  await mkdir(dirname(link), { recursive: true });
  if ((await releaseInUse(root)) === undefined) await moveAside(root, link);
  const fresh = `${link}.new`;
  await rm(fresh, { force: true });
  // Relative, so that a tree for packagers can be moved.
  await symlink(join(basename(releasesFolder), name), fresh);
  await rename(fresh, link);
}

/** Moves the folder of an installation before 0.5.0 away, which a link cannot replace. */
async function moveAside(root: string, link: string): Promise<void> {
  if (!(await exists(link))) return;
  const former = join(below(root, releasesFolder), 'former');
  await rm(former, { recursive: true, force: true });
  await rename(link, former);
}

/** Deletes the releases that are not among `kept`. */
export async function pruneReleases(root: string, kept: readonly (string | undefined)[]): Promise<void> {
  const folder = below(root, releasesFolder);
  for (const name of await readdir(folder))
    if (!kept.includes(name)) await rm(join(folder, name), { recursive: true, force: true });
}

/** Writes the command that runs the program in use. */
export async function writeCommand(root: string): Promise<void> {
  const path = below(root, installedCommand);
  await mkdir(dirname(path), { recursive: true });
  await writeFileAtomic(path, commandText, { mode: 0o755 });
}
