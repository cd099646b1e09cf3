/** Where Incus keeps the files of a container on a pool of ZFS. */
import type { HostContext } from '../instances/context.ts';

/** Returns the dataset of containers on a pool; undefined for a pool that is not ZFS. */
async function containersDataset({ incus }: Pick<HostContext, 'incus'>, pool: string): Promise<string | undefined> {
  const found = (await incus.pools()).find(({ name }) => name === pool);
  const root = found?.driver === 'zfs' ? (found.config['zfs.pool_name'] ?? found.config['source']) : undefined;
  return root === undefined || root === '' ? undefined : `${root}/containers`;
}

/** Returns the dataset that an instance on this pool has or will have; undefined if the pool is not ZFS. */
export async function datasetFor(
  context: Pick<HostContext, 'incus'>,
  instance: string,
  pool: string,
): Promise<string | undefined> {
  const containers = await containersDataset(context, pool);
  return containers === undefined ? undefined : `${containers}/${instance}`;
}

/**
 * Returns the dataset with the files of an instance; undefined if the pool is not ZFS, or if what is sent could not be
 * received again.
 */
export async function datasetOf(
  context: Pick<HostContext, 'incus' | 'zfs'>,
  instance: string,
  pool: string,
): Promise<string | undefined> {
  const dataset = await datasetFor(context, instance, pool);
  return dataset !== undefined && (await context.zfs.canSend(dataset)) ? dataset : undefined;
}
