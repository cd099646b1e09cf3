/**
 * Minimum sizes of a container. With less, either Incus refuses in its own words, or the system inside dies during
 * startup, minutes later.
 */
import { Failure } from '../failure.ts';
import { formatExact } from './size.ts';

/** Debian with sshd and Docker starts with this much memory, but not with a quarter of it (measured on a real host). */
const minMemoryBytes = 64 * 1024 ** 2;

/** On btrfs, the prepared image (about 600 MiB) counts against the quota of every clone. */
const minDiskBytes = 1024 ** 3;

/** Refuses a size below the minimum. Throws `invalid-size`. */
export function ensureMinimum(what: 'memory' | 'disk', bytes: number): void {
  const minBytes = what === 'memory' ? minMemoryBytes : minDiskBytes;
  if (bytes >= minBytes) return;
  throw new Failure('invalid-size', {
    what: `${what} ${formatExact(bytes)}`,
    why: 'too small for a container to start',
    next: `use ${formatExact(minBytes)} or more`,
    details: { minBytes: minBytes },
  });
}
