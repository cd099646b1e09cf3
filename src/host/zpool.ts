/** ZFS pools, from zpool(8). */
import { printable } from '../domain/text.ts';
import type { Runner } from './runner.ts';

const readMs = 10_000;

/** Returns the name of ZFS for a storage pool of Incus. The pool may be a dataset within it. */
export function zpoolOf({
  name,
  config,
}: {
  readonly name: string;
  readonly config: Readonly<Record<string, string>>;
}): string {
  const [zpool = name] = (config['zfs.pool_name'] ?? config['source'] ?? name).split('/');
  return zpool;
}

/** Returns what is wrong with a pool, or undefined if it is healthy (`zpool status -x`, zpool-status(8)). */
export async function poolTrouble(runner: Runner, pool: string, signal?: AbortSignal): Promise<string | undefined> {
  const { stdout } = await runner.run({ program: 'zpool', args: ['status', '-x', pool], timeoutMs: readMs, signal });
  if (/ is healthy\s*$/.test(stdout)) return undefined;
  const [, state = 'unknown'] = /^[ \t]*state:[ \t]*(\S+)/m.exec(stdout) ?? [];
  const [, status] = /^[ \t]*status:[ \t]*(.+)$/m.exec(stdout) ?? [];
  return printable(status === undefined ? state : `${state}: ${status}`);
}

/** What ZFS says of the last scrub of a pool. */
export interface Scrubbed {
  readonly isRunning: boolean;
  /** When the last one ended; undefined if it never did, or was stopped. */
  readonly endedAt: Date | undefined;
}

/**
 * Returns what `zpool status` says of the last scrub:
 *
 *     scan: scrub repaired 0B in 00:03:12 with 0 errors on Sun Nov  8 00:27:13 2026
 *     scan: scrub in progress since Sun Nov  8 00:24:01 2026
 *
 * The time is local time in the form of asctime(3), which the fixed locale of the runner keeps.
 */
export async function lastScrub(runner: Runner, pool: string, signal?: AbortSignal): Promise<Scrubbed> {
  const { stdout } = await runner.run({ program: 'zpool', args: ['status', pool], timeoutMs: readMs, signal });
  const [, scan = ''] = /^[ \t]*scan:[ \t]*(.+)$/m.exec(stdout) ?? [];
  const [, ended] = /^scrub repaired .* on (\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4})$/.exec(scan.trim()) ?? [];
  const endedAt = ended === undefined ? undefined : new Date(ended);
  return {
    isRunning: /^(?:scrub|resilver) in progress/.test(scan),
    endedAt: endedAt === undefined || Number.isNaN(endedAt.getTime()) ? undefined : endedAt,
  };
}
