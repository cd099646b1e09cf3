/** Simulates snapshots: POST of one, and `incus snapshot restore`, `delete` and `rename`. */
import { z } from 'zod';
import { done, incusError, incusRefusal } from '../program/answer.ts';
import type { Answer, World } from '../program/answer.ts';
import { instanceNamed } from '../program/lookup.ts';
import type { InstanceRecord, SnapshotRecord } from '../state/state.ts';

const request = z.object({ name: z.string(), expires_at: z.iso.datetime().optional() });

/** Like a real server, accepts a name only once. */
export function createSnapshot(world: World, instanceName: string, body: string): Answer {
  const instance = instanceNamed(world, instanceName);
  const { name, expires_at: expiresAt = '' } = request.parse(JSON.parse(body));
  if (instance.snapshots.some((one) => one.name === name))
    return incusError(`Snapshot "${instanceName}/${name}" already exists`);
  const { config, devices, files, prepared } = structuredClone(instance);
  const expiresAtMs = expiresAt.startsWith('0001-') ? 0 : Date.parse(expiresAt);
  instance.snapshots.push({ name, createdAtMs: world.nowMs, expiresAtMs, config, devices, files, prepared });
  world.emit('instance-snapshot-created', instanceName);
  return done();
}

function snapshotNamed(instance: InstanceRecord, name: string): SnapshotRecord {
  const found = instance.snapshots.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw incusRefusal(
    `Failed to fetch snapshot "${name}" of instance "${instance.name}" in project "default": Instance snapshot not found`,
  );
}

/** Restores a stopped instance: its files, its configuration and its devices. */
export function restoreSnapshot(world: World, instanceName: string, name: string): Answer {
  const instance = instanceNamed(world, instanceName);
  const { config, devices, files, prepared } = structuredClone(snapshotNamed(instance, name));
  if (instance.run !== null) return incusError('The simulated host restores stopped instances only');
  Object.assign(instance, { config, devices, files, prepared });
  world.emit('instance-restored', instanceName);
  return done();
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
