/** CPU counts, as in Incus's `limits.cpu`. */
import { Failure } from '../failure.ts';
import { quoted } from '../text.ts';

/**
 * Largest accepted CPU count. No host for this system has more, and a typo must not become a limit without effect.
 */
const maxCpuCount = 512;

function fault(text: string): string {
  if (text === '') return 'empty';
  // To Incus, "0-3" and "1,3" name the CPUs to pin to, and a lone number is a count ("1-1" pins to CPU 1).
  if (/^\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*$/.test(text) && /[-,]/.test(text)) {
    return 'it selects particular CPUs, but containers share all CPUs of the host';
  }
  if (/^\d+[.,]\d+$/.test(text)) return 'not a whole number';
  if (/^-\d/.test(text)) return 'negative';
  if (/^0+$/.test(text)) return 'zero';
  if (/^0\d+$/.test(text)) return 'leading zero';
  if (/^\d+$/.test(text)) return `more than ${maxCpuCount}`;
  return 'not a number';
}

/** Parses a CPU count from 1 to {@link maxCpuCount}. Throws `invalid-count`. */
export function parseCpuCount(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= maxCpuCount) return Number(text);
  throw new Failure('invalid-count', {
    what: `number of CPUs ${quoted(text)}`,
    why: fault(text),
    next: `use a whole number from 1 to ${maxCpuCount}`,
  });
}
