/** Which instances of a host this system made. */
import type { IncusInstance } from '../host/incus/documents.ts';
import { replacedOf } from './snapshots/generations.ts';
import { trashedAmong, trashedWith } from './trash/record.ts';
import { ownerOfInstance } from './instances/metadata.ts';

/** The name of an instance that an operation makes and removes again. It ends in the operation's id. */
const passing = /^containarium-(?:build|restore|verify)-[0-9a-z]{26}$/;

/**
 * Returns the instances that this system did not make. Its own are containers, their earlier generations, both of them
 * in the trash too, and what an operation has made to remove it again.
 */
export function foreignAmong(instances: readonly IncusInstance[]): IncusInstance[] {
  const inTrash = new Set(
    trashedAmong(instances).flatMap(({ instance }) => [instance, ...trashedWith(instances, instance.name)]),
  );
  return instances.filter(
    (instance) =>
      ownerOfInstance(instance) === undefined &&
      replacedOf(instance) === undefined &&
      !inTrash.has(instance) &&
      !passing.test(instance.name),
  );
}
