/** Numbers of CPUs, as Incus's `limits.cpu` takes them. */
import { Failure } from '../failure.ts';
import { quoted } from '../text.ts';

/**
 * More than any host has that this system is for; it keeps a slip of the finger from becoming a limit that limits
 * nothing.
 */
export const maxCpuCount = 512;

function fault(text: string): string {
  if (text === '') return 'it is empty';
  // Incus reads "0-3" and "1,3" as the numbers of the CPUs to pin to, and a lone number as a count ("1-1" pins to CPU
  // 1).
  if (/^\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*$/.test(text) && /[-,]/.test(text)) {
    return 'it names certain CPUs of the host, and containers here share all of them: only a number of CPUs can be given';
  }
  if (/^\d+[.,]\d+$/.test(text)) return 'CPUs are counted whole';
  if (/^-\d/.test(text)) return 'it is negative';
  if (/^0+$/.test(text)) return 'it is zero';
  if (/^0\d+$/.test(text)) return 'it begins with a zero';
  if (/^\d+$/.test(text)) return `it is more than ${maxCpuCount}`;
  return 'it is not a number';
}

/** A number of whole CPUs, 1 to {@link maxCpuCount}. Throws `invalid-count`. */
export function parseCpuCount(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= maxCpuCount) return Number(text);
  throw new Failure('invalid-count', {
    what: `number of CPUs ${quoted(text)}`,
    why: fault(text),
    next: `write a whole number from 1 to ${maxCpuCount}, such as 4`,
  });
}
