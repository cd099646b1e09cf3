/** Whether the process of a connection through the host's sshd still runs (proc_pid_stat(5)). */
import { readFile } from 'node:fs/promises';

/** The unit of times in /proc, in milliseconds: USER_HZ is 100 on every architecture that Node.js supports. */
const tickMs = 10;
/** How far the clocks of the log and of the kernel may be apart, in milliseconds. */
const slackMs = 5000;

export interface SshdProcesses {
  /** Reports whether the sshd with this id runs, which served a connection at this time already. */
  isServing(pid: number, sinceMs: number): Promise<boolean>;
}

export const realSshdProcesses: SshdProcesses = {
  async isServing(pid, sinceMs) {
    let stat: string;
    try {
      stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
        return false;
      throw error;
    }
    const upMs = Number((await readFile('/proc/uptime', 'utf8')).split(' ')[0]) * 1000;
    return wasServing(stat, Date.now() - upMs, sinceMs);
  },
};

/**
 * Reads a line of /proc/PID/stat. Process ids are used again, so it must be an sshd that began before `sinceMs`.
 * `bootedMs` is when the host booted, in milliseconds since 1970.
 */
export function wasServing(stat: string, bootedMs: number, sinceMs: number): boolean {
  // The name is in parentheses and may contain some.
  const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
  const startTicks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  if (name !== 'sshd' && name !== 'sshd-session') return false;
  return bootedMs + startTicks * tickMs <= sinceMs + slackMs;
}
