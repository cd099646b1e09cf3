/** When the holder of a certificate is told that it ends. */
import { dayMs, timeLeftInWords } from '../values/duration.ts';

/** Time before the end of a certificate from which it is told, in milliseconds. */
const toldBeforeMs = 14 * dayMs;

/** Returns a clause about a certificate that ends soon or has ended, `expires in 3 days`; undefined otherwise. */
export function endsSoon(at: Date, now: Date): string | undefined {
  const leftMs = at.getTime() - now.getTime();
  if (leftMs > toldBeforeMs) return undefined;
  return leftMs <= 0 ? 'has expired' : `expires in ${timeLeftInWords(leftMs)}`;
}
