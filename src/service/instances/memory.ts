/** How much memory a container uses. */
import type { IncusInstance } from '../../host/incus/documents.ts';
import type { MemoryInUse } from '../../host/incus/memoryMetrics.ts';

/**
 * Bytes that a container cannot give back without swapping; `undefined` where Incus does not say.
 *
 * The metrics may be some seconds older than the state: a container that has just started is not in them yet, and one
 * that has just restarted is in them with what it used before. All that it is charged for is known now, and is never
 * less than what is in use.
 */
export function memoryUsed(instance: IncusInstance, inUse: MemoryInUse): number | undefined {
  const charged = instance.state?.memory?.usage;
  // Incus says -1, or nothing, where it does not know.
  if (charged === undefined || charged < 0) return undefined;
  return Math.min(charged, inUse.get(instance.name) ?? charged);
}
