/** How long a process holds its event loop. */
import { readFileSync } from 'node:fs';

/** Maximum CPU time of a packet, in milliseconds. */
export const maxTurnMs = 50;

/** Returns the CPU time of a process's main thread, in milliseconds. */
export function loopMs(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
}
