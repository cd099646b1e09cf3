/** ZFS pools, asked with zpool(8). */
import type { Runner } from './runner.ts';

/**
 * What is wrong with a pool; undefined for one that is healthy (`zpool status -x`, zpool-status(8)). Rejects where it
 * cannot be asked.
 */
export async function poolTrouble(runner: Runner, pool: string, signal?: AbortSignal): Promise<string | undefined> {
  const { stdout } = await runner.run({ program: 'zpool', args: ['status', '-x', pool], timeoutMs: 10_000, signal });
  if (/ is healthy\s*$/.test(stdout)) return undefined;
  const [, state = 'unknown'] = /^\s*state:\s*(\S+)/m.exec(stdout) ?? [];
  const [, status] = /^\s*status:\s*(.+)$/m.exec(stdout) ?? [];
  return status === undefined ? state : `${state}: ${status}`;
}
