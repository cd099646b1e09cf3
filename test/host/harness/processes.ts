/**
 * Finds and ends processes of this machine by process id, from /proc (proc(5)). A name alone never suffices to end one.
 */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';

export interface Process {
  readonly pid: number;
  readonly parent: number;
  /** Start time, in clock ticks since boot. Ids are reused, but id and start time together are unique. */
  readonly started: string;
  readonly commandLine: string;
}

async function readProcess(pid: number): Promise<Process | undefined> {
  try {
    const [stat, commandLine] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
    ]);
    // The second field is the program's name in parentheses, which may itself contain blanks and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z') return undefined;
    return {
      pid,
      parent: Number(fields[1]),
      started: fields[19] ?? '',
      commandLine: commandLine.replaceAll('\0', ' ').trim(),
    };
  } catch {
    return undefined;
  }
}

/** Returns every process that is not a zombie. */
export async function processes(): Promise<Process[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  return (await Promise.all(pids.map(readProcess))).filter((process) => process !== undefined);
}

/** Returns a mark that identifies a running process uniquely. */
export async function markOf(pid: number): Promise<string> {
  return `${pid} ${(await readProcess(pid))?.started ?? ''}`;
}

/** Reports whether the process with this mark still runs. */
export async function runs(mark: string): Promise<boolean> {
  const [pid, started] = mark.trim().split(' ');
  return started !== undefined && started !== '' && (await readProcess(Number(pid)))?.started === started;
}

/** Returns `roots` and all their descendants. */
export function withDescendants(all: readonly Process[], roots: readonly Process[]): Process[] {
  const found = new Map(roots.map((process) => [process.pid, process]));
  for (let size = -1; size !== found.size;) {
    size = found.size;
    for (const process of all) if (found.has(process.parent)) found.set(process.pid, process);
  }
  return [...found.values()];
}

/** Waits until `test` holds; returns `false` if it does not within the limit. */
export async function waitUntil(test: () => Promise<boolean>, limitMs: number, everyMs = 25): Promise<boolean> {
  for (const end = Date.now() + limitMs; Date.now() < end;) {
    if (await test()) return true;
    await setTimeout(everyMs);
  }
  return test();
}

/** Ends processes: SIGTERM on request, and SIGKILL for those that remain after `graceMs`. */
export async function endProcesses(victims: readonly Process[], graceMs = 0): Promise<void> {
  const left = async (): Promise<Process[]> => {
    const now = await Promise.all(victims.map((victim) => readProcess(victim.pid)));
    return victims.filter((victim, index) => now[index]?.started === victim.started);
  };
  const signal = async (name: NodeJS.Signals): Promise<void> => {
    for (const victim of await left()) {
      try {
        process.kill(victim.pid, name);
      } catch {
        // It has ended meanwhile.
      }
    }
  };
  if (graceMs > 0) {
    await signal('SIGTERM');
    if (await waitUntil(async () => (await left()).length === 0, graceMs)) return;
  }
  await signal('SIGKILL');
  await waitUntil(async () => (await left()).length === 0, 10_000);
}
