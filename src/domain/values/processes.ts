/** Process limits, as in Incus's `limits.processes`. The kernel counts threads as well (pids.max, cgroups(7)). */
import { Failure } from '../failure.ts';
import { quoted } from '../text.ts';

/** Ubuntu with sshd and Docker has about 60 processes and threads at rest; with fewer than this it does not start. */
export const minProcesses = 100;

/** The largest `kernel.pid_max` (PID_MAX_LIMIT on 64 bits, proc_sys_kernel(5)): a larger limit would have no effect. */
export const maxProcesses = 4_194_304;

function fault(text: string): string {
  if (text === '') return 'empty';
  if (/^-\d/.test(text)) return 'negative';
  if (/^\d+[.,]\d+$/.test(text)) return 'not a whole number';
  if (/^0\d+$/.test(text)) return 'leading zero';
  if (!/^\d+$/.test(text)) return 'not a number';
  return Number(text) < minProcesses ? 'too small for a container to start' : `more than ${maxProcesses}`;
}

/** Parses a process limit from {@link minProcesses} to {@link maxProcesses}. Throws `invalid-count`. */
export function parseProcessLimit(text: string): number {
  if (/^[1-9]\d{2,6}$/.test(text) && Number(text) >= minProcesses && Number(text) <= maxProcesses) return Number(text);
  throw new Failure('invalid-count', {
    what: `number of processes ${quoted(text)}`,
    why: fault(text),
    next: `use a whole number from ${minProcesses} to ${maxProcesses}`,
  });
}
