/** The snapshots that may go if a pool runs low. */
import { originOf } from '../../domain/values/snapshotName.ts';
import { isName, type Username } from '../../domain/values/username.ts';
import type { IncusInstance } from '../../host/incus/documents.ts';
import { rootDevice } from '../instances/containers.ts';
import { ownerOfInstance } from '../instances/metadata.ts';
import { replacedOf } from './generations.ts';

export interface Expendable {
  readonly user: Username;
  readonly name: string;
  readonly atMs: number;
}

/**
 * Returns the scheduled snapshots in a pool, the oldest first, without the newest scheduled one of each container. What
 * a person made, or a restore, is not among them.
 */
export function expendableSnapshots(instances: readonly IncusInstance[], pool: string): Expendable[] {
  const scheduled = instances.flatMap((instance): Expendable[] => {
    const owner = ownerOfInstance(instance) ?? replacedOf(instance);
    if (owner === undefined || !isName(owner) || rootDevice(instance)?.device['pool'] !== pool) return [];
    const user = owner as Username;
    return (instance.snapshots ?? [])
      .filter(({ name }) => originOf(name) === 'scheduled')
      .map(({ name, created_at: at }) => ({ user, name, atMs: Date.parse(at) }));
  });
  const newest = new Map<Username, Expendable>();
  for (const one of scheduled) if (one.atMs >= (newest.get(one.user)?.atMs ?? 0)) newest.set(one.user, one);
  return scheduled.filter((one) => newest.get(one.user) !== one).sort((a, b) => a.atMs - b.atMs);
}
