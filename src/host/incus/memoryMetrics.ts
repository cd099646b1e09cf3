/**
 * The memory that containers use, from Incus's metrics (`/1.0/metrics`, OpenMetrics text).
 *
 * `memory.usage` of an instance's state is all that its control group is charged for. After a large file was written,
 * most of that is page cache, which the kernel drops under memory pressure. The memory in use excludes the pages of
 * files:
 *
 *     MemTotal - MemFree - Active_file - Inactive_file
 *
 * This matches the memory that `free` does not show as "available" in a container with lxcfs (lxcfs, proc_fuse.c),
 * except for the kernel's own caches: Incus does not report them, so they count as used, a few MiB. The obvious
 * `MemTotal - MemAvailable` is wrong: Incus 6.0 counts all of Cached as available, including files in a tmpfs, which
 * can only be swapped (measured: with 100 MiB in a tmpfs it gave 9 MiB, and this formula 109 MiB). RSS is useless too:
 * control groups v2 do not have it, and Incus then reports 0.
 */
import { Failure } from '../../domain/failure.ts';

/** Bytes in use by instance. A missing instance was not running when Incus measured, up to 8 s ago. */
export type MemoryInUse = ReadonlyMap<string, number>;

const wanted = ['MemTotal', 'MemFree', 'Active_file', 'Inactive_file'] as const;
type Series = (typeof wanted)[number];

const prefix = 'incus_memory_';
const named = new RegExp(`^${prefix}(?:${wanted.join('|')})_bytes[ {]`);
/**
 * The labels of memory series are names that Incus has chosen or checked. Names of network interfaces are unchecked,
 * and Incus does not escape them: a container may call its interface `a"}_1`. They occur only in the series of network
 * traffic, whose lines are skipped.
 */
const sample = new RegExp(
  `^${prefix}(${wanted.join('|')})_bytes\\{([^{}]*)\\} (-?\\d+(?:\\.\\d+)?(?:e[+-]\\d{1,3})?)$`,
);
const instanceLabel = /(?:^|,)name="([A-Za-z0-9-]{1,63})"(?:,|$)/;

/** Parses the metrics. Throws for truncated or malformed text; leaves out an instance that lacks a figure. */
export function memoryInUse(text: string): MemoryInUse {
  // OpenMetrics ends with this line, so that a truncated document is not mistaken for a shorter one.
  if (!/(?:^|\n)# EOF\s*$/.test(text.slice(-64))) throw unexpected('its output is not a complete OpenMetrics text');
  const found = new Map<string, Partial<Record<Series, number>>>();
  for (const line of text.split('\n')) {
    if (!named.test(line)) continue;
    const [, series, labels = '', value] = sample.exec(line) ?? [];
    const name = instanceLabel.exec(labels)?.[1];
    const bytes = Number(value);
    if (series === undefined || name === undefined || !Number.isFinite(bytes))
      throw unexpected('a line about memory has an unexpected format');
    found.set(name, { ...found.get(name), [series as Series]: bytes });
  }
  const inUse = new Map<string, number>();
  for (const [name, { MemTotal: total, MemFree: free, Active_file: active, Inactive_file: inactive }] of found) {
    if (total === undefined || free === undefined || active === undefined || inactive === undefined) continue;
    // More free than total: the figures were not taken at the same time, so they are useless.
    if (free > total) continue;
    inUse.set(name, Math.max(0, Math.round(total - free - active - inactive)));
  }
  return inUse;
}

function unexpected(why: string): Failure {
  return new Failure('unexpected-output', { what: '"GET /1.0/metrics"', why });
}
