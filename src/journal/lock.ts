/**
 * One writer at a time: two would break the chain. A file names the process that writes, and counts only as long as
 * that process lives, so a killed server does not keep the next one out.
 */
import { randomUUID } from 'node:crypto';
import { link, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../domain/failure.ts';
import { quoted } from '../domain/text.ts';
import { errnoOf, unwritable } from './problems.ts';

/**
 * A process, told from a later one with the same id by when it was started (proc_pid_stat(5), field 22) and in which
 * boot.
 */
interface Holder {
  readonly pid: number;
  readonly started: string;
  readonly boot: string;
}

/** Where there is no /proc the process id has to do. */
async function describe(pid: number): Promise<Holder & { readonly dead: boolean }> {
  const readable = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
  const [stat, boot] = await Promise.all([readable(`/proc/${pid}/stat`), readable('/proc/sys/kernel/random/boot_id')]);
  // The name in parentheses may hold spaces and parentheses; the state (field 3) follows the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { pid, started: fields[19] ?? '', boot: boot.trim(), dead: fields[0] === 'Z' || fields[0] === 'X' };
}

async function ownDescription(): Promise<Holder> {
  const { pid, started, boot } = await describe(process.pid);
  return { pid, started, boot };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === 'EPERM';
  }
}

/**
 * The living process that `text` names, if any. The text is written whole or not at all; one that cannot be read names
 * nobody.
 */
async function holderIn(text: string): Promise<Holder | undefined> {
  let noted: Partial<Holder> | null;
  try {
    noted = JSON.parse(text) as Partial<Holder> | null;
  } catch {
    return undefined;
  }
  const pid = noted?.pid;
  if (!Number.isSafeInteger(pid) || pid === undefined || pid <= 0 || !isRunning(pid)) return undefined;
  const now = await describe(pid);
  return !now.dead && now.started === noted?.started && now.boot === noted.boot ? now : undefined;
}

/** The text of a file, or undefined where there is none. */
async function read(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  });
}

/**
 * Takes the lock of a folder and returns how to give it back. Rejects with `journal-unwritable` when a living process
 * has it.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, 'writer.lock');
  const mine = `${path}.${randomUUID()}`;
  try {
    await writeFile(mine, JSON.stringify(await ownDescription()), { mode: 0o600 });
    try {
      // Each round ends with the lock, with a holder, or because somebody else moved at the same moment.
      for (let round = 0; round < 5; round += 1) {
        if (await linked(mine, path)) return () => unlink(path).catch(() => undefined);
        const text = await read(path);
        if (text === undefined) continue;
        const holder = await holderIn(text);
        if (holder !== undefined) throw held(path, holder);
        await removeStale(path);
      }
      throw new Error('other processes kept taking the lock');
    } finally {
      await unlink(mine);
    }
  } catch (error) {
    throw error instanceof Failure ? error : unwritable(path, error);
  }
}

/** link(2) creates the name together with its content, and fails where the name is taken. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Moves a dead process's lock aside before deleting it, and puts it back when it has turned out to be a living one's by
 * then.
 */
async function removeStale(path: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return;
    throw error;
  }
  if ((await holderIn((await read(aside)) ?? '')) !== undefined) await linked(aside, path);
  await unlink(aside);
}

function held(path: string, holder: Holder): Failure {
  return new Failure('journal-unwritable', {
    what: `journal lock ${quoted(path, 300)}`,
    why: `process ${holder.pid} is writing this journal`,
    next: 'use the running server, or stop it first',
    details: { pid: holder.pid },
  });
}
