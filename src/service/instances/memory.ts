/** How much memory a container uses. */
import type { IncusInstance } from '../../host/incus/documents.ts';
import type { MemoryInUse } from '../../host/incus/memoryMetrics.ts';

/**
 * Returns the bytes that a container cannot give back without swapping; `undefined` if Incus does not know.
 *
 * The metrics may be some seconds older than the state. A container that has just started is missing from them; one
 * that has just restarted appears with its old figure. The charged memory is current and never less than the memory in
 * use, so it is the upper bound.
 */
export function memoryUsed(instance: IncusInstance, inUse: MemoryInUse): number | undefined {
  const charged = instance.state?.memory?.usage;
  // Incus reports -1 or nothing if it does not know.
  if (charged === undefined || charged < 0) return undefined;
  return Math.min(charged, inUse.get(instance.name) ?? charged);
}
