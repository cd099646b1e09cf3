/**
 * The lock for a single writer; two would break the chain. The lock file names the process that writes. It is valid
 * only while that process lives, so a killed server does not block the next one.
 */
import { randomUUID } from 'node:crypto';
import { link, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../domain/failure.ts';
import { quoted } from '../domain/text.ts';
import { errnoOf, unwritable } from './failures.ts';

/**
 * A process. The start time (proc_pid_stat(5), field 22) and the boot distinguish it from a later process with the same
 * id.
 */
interface Holder {
  readonly pid: number;
  readonly started: string;
  readonly boot: string;
}

/** Describes a process. Without /proc only the process id is compared. */
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
 * Returns the living process that `text` names, if any. The text is written as a whole, so a damaged one names none.
 */
async function holderIn(text: string): Promise<Holder | undefined> {
  let stored: Partial<Holder> | null;
  try {
    stored = JSON.parse(text) as Partial<Holder> | null;
  } catch {
    return undefined;
  }
  const pid = stored?.pid;
  if (!Number.isSafeInteger(pid) || pid === undefined || pid <= 0 || !isRunning(pid)) return undefined;
  const now = await describe(pid);
  return !now.dead && now.started === stored?.started && now.boot === stored.boot ? now : undefined;
}

/** Returns the text of a file, or undefined if it does not exist. */
async function read(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  });
}

/**
 * Takes the lock of a folder, and returns a function that releases it. Rejects with `journal-unwritable` if a living
 * process holds it.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, 'writer.lock');
  const mine = `${path}.${randomUUID()}`;
  try {
    await writeFile(mine, JSON.stringify(await ownDescription()), { mode: 0o600 });
    try {
      // Each round ends with the lock, with a living holder, or with a change by another process.
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

/** Creates the name together with its content, by link(2). Returns false if the name is taken. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a dead process's lock. Moves it aside first, and puts it back if a living process has taken it meanwhile. */
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
