/** What Linux says of a process (proc(5)). */
import { readFileSync, readdirSync } from 'node:fs';

/** USER_HZ, which is 100 wherever Node.js runs. */
const msPerTick = 10;

/** Resident memory, in MiB: what proc(5) calls kB is KiB. */
export function residentMiB(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(found) / 1024;
}

/** CPU time used so far by all its threads, in milliseconds. */
export function cpuMs(pid: number): number {
  const [utime, stime] = fields(pid).slice(11, 13);
  return (Number(utime) + Number(stime)) * msPerTick;
}

export function openDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** The processes that it has started and that live. */
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

/** The fields of /proc/PID/stat behind the name, which may hold blanks: state is the first, the parent the second. */
function fields(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}
