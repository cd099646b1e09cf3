/** Compares the files of a running container with the list of a backup. */
import { Failure, isFailure } from '../../domain/failure.ts';
import { quoted } from '../../domain/text.ts';
import { parseLine, type FileEntry } from '../../repository/fileList.ts';
import type { HostContext } from '../instances/context.ts';

/** The folders whose files are compared. What is elsewhere changes while a container runs, or is made by its boot. */
const folders = ['/etc/', '/usr/', '/home/', '/root/', '/opt/', '/srv/'];

/** Number of files that are compared. Of more files, each has the same chance. */
const maxCompared = 2000;

/** Number of files that one program gets as arguments, so that they stay below 128 KiB. */
const filesAtOnce = 25;

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
    for (const { path, sha256 } of some) {
      const isSame = present.get(path) === sha256;
      if (!isSame && present.has(path) && (await changedSince(context, instance, path, startedAt))) {
        changedByBoot += 1;
        continue;
      }
      compared += 1;
      if (!isSame) different.push(path);
    }
  }
  return { compared, changedByBoot, different };
}

async function checksums(
  { incus }: Pick<HostContext, 'incus'>,
  instance: string,
  files: readonly FileEntry[],
): Promise<Map<string, string>> {
  // It exits with 1 if a file is missing.
  const { stdout } = await incus.exec(instance, ['sha256sum', '--', ...files.map(({ path }) => path)], {
    env: { LC_ALL: 'C' },
    timeoutMs: checksumMs,
    allowExit: [0, 1],
  });
  const entries = stdout.split('\n').flatMap((line) => parseLine(line) ?? []);
  return new Map(entries.map(({ path, sha256 }) => [path, sha256]));
}

/** Reports whether a file was changed since a time. The clock of a container is that of the host. */
async function changedSince(
  { incus }: Pick<HostContext, 'incus'>,
  instance: string,
  path: string,
  since: Date,
): Promise<boolean> {
  const { stdout } = await incus.exec(instance, ['stat', '--format=%Y', '--', path], {
    env: { LC_ALL: 'C' },
    allowExit: [0, 1],
  });
  const seconds = Number(stdout.trim());
  return stdout.trim() !== '' && seconds >= Math.floor(since.getTime() / 1000);
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
