/** Figures of a process on Linux (proc(5)). */
import { readFileSync, readdirSync } from 'node:fs';

/** USER_HZ is 100 on every platform that Node.js supports. */
const msPerTick = 10;

/** Returns the resident memory in MiB. What proc(5) calls kB is KiB. */
export function residentMiB(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(found) / 1024;
}

/**
 * Returns the proportional set size in MiB (smaps_rollup in proc(5)): a page that several processes share, as those of
 * the Node.js program, counts in parts.
 */
export function proportionalMiB(pid: number): number {
  const found = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
  return Number(found) / 1024;
}

/** Returns the CPU time so far of the children of this process that have ended, in milliseconds. */
export function childrensCpuMs(): number {
  const [cutime, cstime] = fields(process.pid).slice(13, 15);
  return (Number(cutime) + Number(cstime)) * msPerTick;
}

/** Returns the CPU time of all threads so far, in milliseconds. */
export function cpuMs(pid: number): number {
  const [utime, stime] = fields(pid).slice(11, 13);
  return (Number(utime) + Number(stime)) * msPerTick;
}

export function openDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Returns the living child processes. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((each) => {
      try {
        return Number(fields(each)[1]) === pid;
      } catch {
        return false;
      }
    });
}

/**
 * Returns the fields of /proc/PID/stat after the name, which may contain blanks. The first two are state and parent.
 */
function fields(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}
