/** The datasets of the simulated host: one for each instance on a pool of ZFS. */
import { refused, Refusal, type World } from '../program/answer.ts';
import { guidOf } from '../state/deterministic.ts';
import type { HostState, InstanceFiles, InstanceRecord, SnapshotRecord } from '../state/state.ts';

export type Dataset = NonNullable<InstanceRecord['dataset']>;

export interface DatasetOf {
  readonly instance: InstanceRecord;
  readonly dataset: Dataset;
}

export interface Snapshot {
  readonly guid: string;
  readonly files: InstanceFiles;
}

export function zfsRefusal(message: string): Refusal {
  return new Refusal(refused(1, message));
}

function rootPool({ pools }: HostState, { devices }: InstanceRecord): string | undefined {
  const root = Object.values(devices).find(({ type, path }) => type === 'disk' && path === '/');
  const pool = pools.find(({ name, driver }) => name === root?.['pool'] && driver === 'zfs');
  return pool?.config['zfs.pool_name'] ?? pool?.config['source'];
}

/** Returns the dataset of this name. Throws the refusal of zfs if there is none. */
export function datasetNamed({ state }: World, name: string): DatasetOf {
  for (const instance of Object.values(state.instances)) {
    const pool = rootPool(state, instance);
    if (pool === undefined || name !== `${pool}/containers/${instance.name}`) continue;
    return { instance, dataset: (instance.dataset ??= { bookmarks: [], received: [] }) };
  }
  throw zfsRefusal(`cannot open '${name}': dataset does not exist`);
}

/** Returns the snapshot `DATASET@NAME`. Incus gives its own a prefix. Throws the refusal of zfs if there is none. */
export function snapshotNamed(world: World, name: string): DatasetOf & Snapshot {
  const [path = '', snapshot = ''] = name.split('@');
  const found = datasetNamed(world, path);
  const received = found.dataset.received.find((one) => one.name === snapshot);
  if (received !== undefined) return { ...found, guid: received.guid, files: found.instance.files };
  const own = found.instance.snapshots.find((one) => `snapshot-${one.name}` === snapshot);
  if (own === undefined) throw zfsRefusal(`cannot open '${name}': dataset does not exist`);
  return { ...found, guid: guidOfSnapshot(own), files: own.files };
}

function guidOfSnapshot({ guid, name, createdAtMs }: SnapshotRecord): string {
  return guid ?? guidOf(`${name} ${createdAtMs}`);
}

/** Returns the snapshots of a dataset, the oldest first. */
export function snapshotsOf({
  instance,
  dataset,
}: DatasetOf): readonly { readonly name: string; readonly guid: string }[] {
  const own = instance.snapshots.map((one) => ({ name: `snapshot-${one.name}`, guid: guidOfSnapshot(one) }));
  return [...own, ...dataset.received];
}
