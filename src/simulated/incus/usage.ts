/** CPU, memory and disk usage of instances: plausible functions of the name, the contents and the running time. */
import { quotaOf, rootDevice } from './devices.ts';
import { pick } from '../state/deterministic.ts';
import type { HostState, InstanceRecord } from '../state/state.ts';
import { parseIncusSize } from '../program/units.ts';

const kib = 1024;
const mib = 1024 ** 2;
const gib = 1024 ** 3;

/** The size of the simulated machine. */
const hostMemoryBytes = 16 * gib;
const hostCpus = 8;

function hours(ms: number): number {
  return ms / 3_600_000;
}

/** Returns the time since the current start in milliseconds, or 0 if stopped. */
export function upMs(instance: InstanceRecord, nowMs: number): number {
  return instance.run === null ? 0 : Math.max(0, nowMs - instance.run.startedAtMs);
}

/** Returns the number of CPUs that `limits.cpu` allows. */
export function cpusOf(instance: InstanceRecord): number {
  const limit = instance.config['limits.cpu'] ?? '';
  if (limit === '') return hostCpus;
  if (/^\d+$/.test(limit)) return Number(limit);
  return limit.split(',').reduce((sum, part) => {
    const [low = 0, high = low] = part.split('-').map(Number);
    return sum + Math.max(0, high - low) + 1;
  }, 0);
}

/** Returns the CPU time since the current start in nanoseconds: 0.5 s for the boot, then 1 to 12 percent of one CPU. */
export function cpuUsageNs(instance: InstanceRecord, nowMs: number): number {
  if (instance.run === null) return 0;
  const percent = 1 + pick(`${instance.name} cpu`, 12);
  return 500_000_000 + Math.round((upMs(instance, nowMs) * 1_000_000 * percent) / 100);
}

/** Returns the memory that `limits.memory` allows, in bytes. */
export function memoryTotalBytes(instance: InstanceRecord): number {
  const limit = instance.config['limits.memory'] ?? '';
  if (limit === '') return hostMemoryBytes;
  if (limit.endsWith('%')) return Math.floor((hostMemoryBytes * Number(limit.slice(0, -1))) / 100);
  return parseIncusSize(limit) ?? hostMemoryBytes;
}

/**
 * Returns the memory in use, in bytes: 24 MiB or more, more with Docker, growing a little in the first day, always
 * below the limit.
 */
export function memoryInUseBytes(instance: InstanceRecord, nowMs: number): number {
  if (instance.run === null) return 0;
  const base = 24 * mib + pick(`${instance.name} memory`, 40) * mib + (instance.prepared ? 96 * mib : 0);
  const grown = Math.floor(Math.min(hours(upMs(instance, nowMs)), 24) * 4096) * kib;
  return Math.min(base + grown, Math.floor(memoryTotalBytes(instance) * 0.9));
}

/**
 * Returns the memory charged to the control group, in bytes: memory in use and page cache. The boot fills the cache
 * with programs. From then on it grows until the limit is near.
 */
export function memoryChargedBytes(instance: InstanceRecord, nowMs: number): number {
  if (instance.run === null) return 0;
  const cached = (instance.prepared ? 192 : 24) * mib + Math.floor(hours(upMs(instance, nowMs)) * 64 * 1024) * kib;
  return Math.min(memoryInUseBytes(instance, nowMs) + cached, Math.floor(memoryTotalBytes(instance) * 0.97));
}

/** Returns the quota of the root disk in bytes, or the size of the pool if there is no quota. */
export function diskTotalBytes(state: HostState, instance: InstanceRecord): number {
  const root = rootDevice(instance.devices);
  return quotaOf(root) ?? state.pools.find((pool) => pool.name === root?.['pool'])?.totalBytes ?? 0;
}

/**
 * Returns the disk usage in bytes: a small clone, pushed files, and logs and packages that grow with the running time
 * up to 512 MiB.
 */
export function diskUsageBytes(instance: InstanceRecord, nowMs: number): number {
  const base = 8 * mib + pick(`${instance.name} disk`, 24) * mib;
  const pushed = Object.values(instance.files).reduce((sum, file) => sum + Buffer.byteLength(file.content), 0);
  const grown = Math.floor(Math.min(hours(instance.ranMs + upMs(instance, nowMs)) * 1024, 512 * 1024)) * kib;
  return base + pushed + grown;
}

/** Returns the used space of a pool in bytes: images, instances, and the overhead of the file system. */
export function poolUsedBytes(state: HostState, poolName: string, nowMs: number): number {
  const instances = Object.values(state.instances).filter(
    (instance) => rootDevice(instance.devices)?.['pool'] === poolName,
  );
  const used = instances.reduce((sum, instance) => sum + diskUsageBytes(instance, nowMs), 0);
  // An unpacked image is about three times the size of its archive.
  return 16 * mib + used + state.images.reduce((sum, image) => sum + image.sizeBytes * 3, 0);
}

/** Returns the bytes that only a snapshot holds. */
export function snapshotBytes(instance: InstanceRecord, snapshot: string): number {
  return (1 + pick(`${instance.name} ${snapshot}`, 64)) * mib;
}
