/** Compares the files of a running container with the list of a backup. */
import pRetry from 'p-retry';
import { Failure, isFailure } from '../../domain/failure.ts';
import { quoted } from '../../domain/text.ts';
import { parseLine, type FileEntry } from '../../repository/fileList.ts';
import type { HostContext } from '../instances/context.ts';

/** The folders whose files are compared. What is elsewhere changes while a container runs, or is made by its boot. */
const folders = ['/etc/', '/usr/', '/home/', '/root/', '/opt/', '/srv/'];

/** Number of files that are compared. Of more files, each has the same chance. */
const maxCompared = 2000;

/** Number of files that one program reads, so that what it prints stays below 16 MiB. */
const filesAtOnce = 1000;

/** How long the checksums of so many files may take, in milliseconds. */
const checksumMs = 300_000;

export interface Comparison {
  readonly compared: number;
  readonly changedByBoot: number;
  /** The files that differ or are missing. */
  readonly different: readonly string[];
}

/** Returns some of the files that can be compared, each with the same chance (Vitter's algorithm R). */
export async function sampled(files: AsyncIterable<FileEntry>, max: number = maxCompared): Promise<FileEntry[]> {
  const chosen: FileEntry[] = [];
  let seen = 0;
  for await (const file of files) {
    // Older versions of sha256sum(1) write a name with such characters in another way.
    if (/[\\\n\r]/.test(file.path) || !folders.some((folder) => file.path.startsWith(folder))) continue;
    seen += 1;
    const at = seen <= max ? seen - 1 : Math.floor(Math.random() * seen);
    if (at < max) chosen[at] = file;
  }
  return chosen;
}

/** Compares files with those of a running container that was started at `startedAt`. */
export async function compareFiles(
  context: Pick<HostContext, 'incus'>,
  instance: string,
  files: readonly FileEntry[],
  startedAt: Date,
): Promise<Comparison> {
  let [compared, changedByBoot] = [0, 0];
  const different: string[] = [];
  for (let at = 0; at < files.length; at += filesAtOnce) {
    const some = files.slice(at, at + filesAtOnce);
    const present = await checksums(context, instance, some);
    const changed = some.filter(({ path, sha256 }) => present.has(path) && present.get(path) !== sha256);
    const byBoot = await changedSince(context, instance, changed, startedAt);
    for (const { path, sha256 } of some) {
      if (byBoot.has(path)) {
        changedByBoot += 1;
        continue;
      }
      compared += 1;
      if (present.get(path) !== sha256) different.push(path);
    }
  }
  return { compared, changedByBoot, different };
}

async function checksums(
  context: Pick<HostContext, 'incus'>,
  instance: string,
  files: readonly FileEntry[],
): Promise<Map<string, string>> {
  const lines = await linesOf(context, instance, ['sha256sum', '--'], files);
  const entries = lines.flatMap((line) => parseLine(line) ?? []);
  return new Map(entries.map(({ path, sha256 }) => [path, sha256]));
}

/** Returns the paths of the files that were changed since a time. The clock of a container is that of the host. */
async function changedSince(
  context: Pick<HostContext, 'incus'>,
  instance: string,
  files: readonly FileEntry[],
  since: Date,
): Promise<Set<string>> {
  const lines = await linesOf(context, instance, ['stat', '--format=%Y %n', '--'], files);
  const sinceSeconds = Math.floor(since.getTime() / 1000);
  return new Set(
    lines.flatMap((line) => {
      const [, seconds = '', path = ''] = /^(\d+) (.*)$/.exec(line) ?? [];
      return seconds !== '' && Number(seconds) >= sinceSeconds ? [path] : [];
    }),
  );
}

/**
 * Runs a program that prints a line for each file, or complains about it and exits with 1, which xargs(1) turns into
 * 123. The client of Incus exits with 1, if the program did not start (seen with incus 6.0.4). So every file must be
 * accounted for; if one is not, the program runs again, and then fails.
 */
async function linesOf(
  { incus }: Pick<HostContext, 'incus'>,
  instance: string,
  argv: readonly [program: string, ...args: string[]],
  files: readonly FileEntry[],
): Promise<string[]> {
  if (files.length === 0) return [];
  const [program] = argv;
  const input = files.map(({ path }) => `${path}\0`).join('');
  const run = async (): Promise<string[]> => {
    const options = { env: { LC_ALL: 'C' }, timeoutMs: checksumMs, allowExit: [0, 1, 123], input };
    const { stdout, stderr } = await incus.exec(instance, ['xargs', '-0', ...argv], options);
    const lines = stdout.split('\n').filter((line) => line !== '');
    const complaints = stderr.split('\n').filter((line) => line.startsWith(`${program}: `));
    if (lines.length + complaints.length >= files.length) return lines;
    throw new Failure('unexpected-output', {
      what: `"${program}" in the restored container`,
      why: `it says nothing about ${files.length - lines.length - complaints.length} of ${files.length} files`,
      details: { stderr: stderr.slice(-500) },
    });
  };
  return pRetry(run, {
    retries: 4,
    minTimeout: 150,
    shouldRetry: ({ error }) => isFailure(error, 'unexpected-output'),
  });
}

/** Refuses a restored container that differs from its backup. */
export function requireSame(what: string, { compared, different }: Comparison): void {
  const [first] = different;
  if (first === undefined) return;
  throw new Failure('backup-damaged', {
    what,
    why: `${different.length} of ${compared} compared files are not as they were, for example ${quoted(first)}`,
    next: 'make another backup, and check the disk of the pool and that of the backups',
    details: { different: different.slice(0, 20) },
  });
}

/** Reports whether the init of a container has finished its boot. A unit that failed does not matter. */
export async function isBooted({ incus }: Pick<HostContext, 'incus'>, instance: string): Promise<boolean> {
  try {
    const { stdout } = await incus.exec(instance, ['systemctl', 'is-system-running'], { allowExit: [0, 1] });
    return ['running', 'degraded'].includes(stdout.trim());
  } catch (error) {
    // The container is not as far yet, or has no systemd.
    if (isFailure(error, 'program-failed')) return false;
    throw error;
  }
}
