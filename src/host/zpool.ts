/** The health of ZFS pools, from zpool(8). */
import type { Runner } from './runner.ts';

/** Returns what is wrong with a pool, or undefined if it is healthy (`zpool status -x`, zpool-status(8)). */
export async function poolTrouble(runner: Runner, pool: string, signal?: AbortSignal): Promise<string | undefined> {
  const { stdout } = await runner.run({ program: 'zpool', args: ['status', '-x', pool], timeoutMs: 10_000, signal });
  if (/ is healthy\s*$/.test(stdout)) return undefined;
  const [, state = 'unknown'] = /^\s*state:\s*(\S+)/m.exec(stdout) ?? [];
  const [, status] = /^\s*status:\s*(.+)$/m.exec(stdout) ?? [];
  return status === undefined ? state : `${state}: ${status}`;
}
