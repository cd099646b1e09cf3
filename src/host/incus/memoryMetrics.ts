/**
 * What containers hold of memory, from Incus's metrics (`/1.0/metrics`, OpenMetrics text).
 *
 * `memory.usage` of an instance's state is all that its control group is charged for. After a large file was written
 * most of that is page cache, which the kernel drops as soon as somebody needs the room. In use is what is left without
 * the pages of files:
 *
 *     MemTotal - MemFree - Active_file - Inactive_file
 *
 * That is what `free` in a container with lxcfs has not "available" (lxcfs, proc_fuse.c), but for the kernel's own
 * caches, which Incus does not tell: they count as used, a few MiB. The obvious `MemTotal - MemAvailable` is wrong:
 * Incus 6.0 counts all that is Cached as available, and with it files in a tmpfs, which can only be swapped (measured:
 * 100 MiB in a tmpfs made it 9 MiB, and this 109 MiB). RSS is no use either: control groups v2 do not have it, and
 * Incus then says 0.
 */
import { Failure } from '../../domain/failure.ts';

/** By instance. One that is not in it was not running when Incus measured, up to 8 s ago. */
export type MemoryInUse = ReadonlyMap<string, number>;

const wanted = ['MemTotal', 'MemFree', 'Active_file', 'Inactive_file'] as const;
type Series = (typeof wanted)[number];

const prefix = 'incus_memory_';
const named = new RegExp(`^${prefix}(?:${wanted.join('|')})_bytes[ {]`);
/**
 * Labels of memory are names that Incus gives or has checked. Names of network cards are not, and Incus does not escape
 * them: a container may call one `a"}_1`. Such lines begin with another word, and are never looked at.
 */
const sample = new RegExp(
  `^${prefix}(${wanted.join('|')})_bytes\\{([^{}]*)\\} (-?\\d+(?:\\.\\d+)?(?:e[+-]\\d{1,3})?)$`,
);
const instanceLabel = /(?:^|,)name="([A-Za-z0-9-]{1,63})"(?:,|$)/;

/** Rejects text that is not whole or has another shape; an instance without all that is needed is left out. */
export function memoryInUse(text: string): MemoryInUse {
  // OpenMetrics ends with this line, so that a document that was cut off does not look like one with less in it.
  if (!/(?:^|\n)# EOF\s*$/.test(text.slice(-64))) throw unexpected('its answer is not a whole OpenMetrics text');
  const found = new Map<string, Partial<Record<Series, number>>>();
  for (const line of text.split('\n')) {
    if (!named.test(line)) continue;
    const [, series, labels = '', value] = sample.exec(line) ?? [];
    const name = instanceLabel.exec(labels)?.[1];
    const bytes = Number(value);
    if (series === undefined || name === undefined || !Number.isFinite(bytes))
      throw unexpected('a line about memory has another shape than expected');
    found.set(name, { ...found.get(name), [series as Series]: bytes });
  }
  const inUse = new Map<string, number>();
  for (const [name, { MemTotal: total, MemFree: free, Active_file: active, Inactive_file: inactive }] of found) {
    if (total === undefined || free === undefined || active === undefined || inactive === undefined) continue;
    // More free than there is: the figures are not of one moment, and say nothing.
    if (free > total) continue;
    inUse.set(name, Math.max(0, Math.round(total - free - active - inactive)));
  }
  return inUse;
}

function unexpected(why: string): Failure {
  return new Failure('unexpected-output', { what: '"incus query /1.0/metrics"', why });
}
