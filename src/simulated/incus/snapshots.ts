/** Simulates snapshots: POST of one, and `incus snapshot restore`, `delete` and `rename`. */
import * as z from 'zod';
import { done, incusError, incusRefusal } from '../program/answer.ts';
import type { Answer, World } from '../program/answer.ts';
import { instanceNamed } from '../program/lookup.ts';
import { rootDevice } from './devices.ts';
import { copyInstance } from './instances.ts';
import { guidOf } from '../state/deterministic.ts';
import type { InstanceRecord, SnapshotRecord } from '../state/state.ts';

const request = z.object({ name: z.string(), expires_at: z.iso.datetime().optional() });

/** Like a real server, accepts a name only once. */
export function createSnapshot(world: World, instanceName: string, body: string): Answer {
  const instance = instanceNamed(world, instanceName);
  const { name, expires_at: expiresAt = '' } = request.parse(JSON.parse(body));
  if (instance.snapshots.some((one) => one.name === name))
    return incusError(
      `Failed creating instance snapshot record "${name}": Add snapshot info to the database: Failed to create ` +
        '"instances_snapshots" entry: UNIQUE constraint failed: instances_snapshots.instance_id, instances_snapshots.name',
    );
  const { config, devices, files, prepared } = structuredClone(instance);
  const expiresAtMs = expiresAt === '' || expiresAt.startsWith('0001-') ? 0 : Date.parse(expiresAt);
  const guid = guidOf(`${instanceName} ${name} ${world.nowMs}`);
  instance.snapshots.push({ name, createdAtMs: world.nowMs, expiresAtMs, config, devices, files, prepared, guid });
  world.emit('instance-snapshot-created', instanceName);
  return done();
}

export function snapshotNamed(instance: InstanceRecord, name: string): SnapshotRecord {
  const found = instance.snapshots.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw incusRefusal(
    `Failed to fetch snapshot "${name}" of instance "${instance.name}" in project "default": Instance_snapshot not found`,
  );
}

/**
 * Returns the error of ZFS for a snapshot that is not the newest (incus 6.0, restoreVolume in
 * driver_zfs_volumes.go).
 */
function zfsProblem({ state }: World, instance: InstanceRecord, name: string): string | undefined {
  const pool = rootDevice(instance.devices)?.['pool'];
  if (state.pools.find((candidate) => candidate.name === pool)?.driver !== 'zfs') return undefined;
  if (instance.snapshots.at(-1)?.name === name) return undefined;
  return `Snapshot "${name}" cannot be restored due to subsequent snapshot(s). Set zfs.remove_snapshots to override`;
}

/** Restores a stopped instance: its files, its configuration and its devices. */
export function restoreSnapshot(world: World, instanceName: string, name: string): Answer {
  const instance = instanceNamed(world, instanceName);
  if (instance.snapshots.every((one) => one.name !== name))
    return incusError(`Snapshot ${instanceName}/${name} does not exist`);
  const { config, devices, files, prepared } = structuredClone(snapshotNamed(instance, name));
  const problem = zfsProblem(world, instance, name);
  if (problem !== undefined) return incusError(problem);
  if (instance.run !== null) return incusError('The simulated host restores stopped instances only');
  Object.assign(instance, { config, devices, files, prepared });
  world.emit('instance-restored', instanceName);
  return done();
}

/** Makes a stopped instance of a snapshot: `copy INSTANCE/SNAPSHOT NAME --config KEY=VALUE`. */
export function copySnapshot(world: World, source: string, to: string, changes: readonly string[]): Answer {
  const [instanceName = '', name] = source.split('/');
  if (name === undefined) return incusError('The simulated host copies snapshots only');
  const snapshot = snapshotNamed(instanceNamed(world, instanceName), name);
  const config = { ...snapshot.config };
  for (const change of changes) {
    const at = change.indexOf('=');
    config[change.slice(0, at)] = change.slice(at + 1);
  }
  return copyInstance(world, to, { ...structuredClone(snapshot), config });
}

export function deleteSnapshot(world: World, instanceName: string, name: string): Answer {
  const instance = instanceNamed(world, instanceName);
  const found = snapshotNamed(instance, name);
  instance.snapshots = instance.snapshots.filter((one) => one !== found);
  world.emit('instance-snapshot-deleted', instanceName);
  return done();
}

export function renameSnapshot(world: World, instanceName: string, from: string, to: string): Answer {
  const instance = instanceNamed(world, instanceName);
  const found = snapshotNamed(instance, from);
  if (instance.snapshots.some((one) => one.name === to))
    return incusError(`Snapshot "${instanceName}/${to}" already exists`);
  found.name = to;
  world.emit('instance-snapshot-renamed', instanceName);
  return done();
}
