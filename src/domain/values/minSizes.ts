/**
 * What a container needs at least. With less, Incus refuses in its own words, or the system inside dies while it
 * starts, minutes later.
 */
import { Failure } from '../failure.ts';
import { formatExact } from './size.ts';

/** Debian with sshd and Docker starts with this much, and not with a quarter of it (measured on a real host). */
export const minMemoryBytes = 64 * 1024 ** 2;

/** On btrfs the prepared image, about 600 MiB, counts in every clone. */
export const minDiskBytes = 1024 ** 3;

/** Throws `invalid-size`. */
export function ensureMinimum(what: 'memory' | 'disk', bytes: number): void {
  const least = what === 'memory' ? minMemoryBytes : minDiskBytes;
  if (bytes >= least) return;
  throw new Failure('invalid-size', {
    what: `${what} ${formatExact(bytes)}`,
    why: 'a container does not start with so little',
    next: `write ${formatExact(least)} or more`,
    details: { minBytes: least },
  });
}
