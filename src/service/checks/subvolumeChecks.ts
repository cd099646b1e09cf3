/** The check of `doctor` for disk space that quotas of btrfs do not count: subvolumes within containers. */
import { Failure } from '../../domain/failure.ts';
import { plural } from '../../domain/text.ts';
import { formatHuman } from '../../domain/values/size.ts';
import { nestedIn, type NestedSubvolumes } from '../../host/btrfs.ts';
import { containerFolder } from '../../host/incus/folder.ts';
import type { HostContext } from '../instances/context.ts';
import { ownerOfInstance } from '../instances/metadata.ts';
import { findPlacement } from '../instances/placement.ts';
import { ok, warning, type Outcome } from './outcome.ts';
import type { DoctorTools } from './tools.ts';

const escape = 'root in a container can make subvolumes, which its disk quota does not count';
const cure = 'use a zfs pool, where the quota counts everything';

export async function checkSubvolumes(
  context: HostContext,
  { btrfs }: Pick<DoctorTools, 'btrfs'>,
  signal: AbortSignal,
): Promise<Outcome> {
  const { pool, driver } = await findPlacement(context, signal);
  if (driver !== 'btrfs') return ok(`pool ${pool} is not on btrfs`);
  if (context.host.simulated) return ok('not used by the simulated host');
  const names = (await context.incus.instances(signal))
    .filter((instance) => ownerOfInstance(instance) !== undefined)
    .map(({ name }) => name);
  const [first] = names;
  if (first === undefined) return warning(`pool ${pool} is on btrfs: ${escape}`, cure);
  try {
    const tree = await btrfs.tree(containerFolder(pool, first), signal);
    const nested: string[] = [];
    for (const name of names) {
      const found = nestedIn(tree, await btrfs.idOf(containerFolder(pool, name), signal));
      if (found.count > 0) nested.push(`${name} has ${describeNested(found)}`);
    }
    const doubt = tree.doubtful
      ? ['some names contain line breaks, so this may be wrong: examine "btrfs subvolume list" yourself']
      : [];
    return warning(
      [
        `pool ${pool} is on btrfs: ${escape}`,
        ...(nested.length === 0 ? ['no container has any now'] : nested),
        ...doubt,
      ].join('; '),
      cure,
    );
  } catch (error) {
    if (signal.aborted) throw error;
    const { what, why } = Failure.from(error);
    return warning(
      `pool ${pool} is on btrfs: ${escape}; whether any container has some could not be examined: ${what}: ${why}`,
      cure,
    );
  }
}

/** Describes nested subvolumes: `3 subvolumes with 3.5 GiB (2 of them Docker's)`. */
function describeNested({ count, docker, bytes }: NestedSubvolumes): string {
  return [
    plural(count, 'subvolume'),
    ...(bytes === null ? [] : [`with ${formatHuman(bytes)}`]),
    ...(docker === 0 ? [] : [`(${docker} of them Docker's)`]),
  ].join(' ');
}
