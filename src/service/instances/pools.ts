/** The storage pools that hold containers. */
import type { IncusInstance } from '../../host/incus/documents.ts';
import { rootDevice } from './containers.ts';
import type { HostContext } from './context.ts';
import { ownerOfInstance } from './metadata.ts';
import { findPlacement } from './placement.ts';

/** Returns the names of the pools that hold containers, and of the one that the next container gets. */
export async function poolsInUse(
  context: HostContext,
  instances: readonly IncusInstance[],
  signal?: AbortSignal,
): Promise<string[]> {
  const { pool } = await findPlacement(context, signal);
  const own = instances.filter((instance) => ownerOfInstance(instance) !== undefined);
  return [...new Set([pool, ...own.flatMap((instance) => rootDevice(instance)?.device['pool'] ?? [])])];
}
