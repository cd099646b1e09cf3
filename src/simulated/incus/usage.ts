/**
 * What instances use of CPU, memory and disk: plausible functions of their name, what is in them, and how long they
 * ran.
 */
import { quotaOf, rootDevice } from './devices.ts';
import { pick } from '../state/deterministic.ts';
import type { HostState, InstanceRecord } from '../state/state.ts';
import { parseIncusSize } from '../program/units.ts';

const kib = 1024;
const mib = 1024 ** 2;
const gib = 1024 ** 3;

/** The simulated machine. */
export const hostMemoryBytes = 16 * gib;
export const hostCpus = 8;

function hours(ms: number): number {
  return ms / 3_600_000;
}

/** Milliseconds since the present start; 0 while stopped. */
export function upMs(instance: InstanceRecord, nowMs: number): number {
  return instance.run === null ? 0 : Math.max(0, nowMs - instance.run.startedAtMs);
}

/** How many CPUs `limits.cpu` allows. */
export function cpusOf(instance: InstanceRecord): number {
  const limit = instance.config['limits.cpu'] ?? '';
  if (limit === '') return hostCpus;
  if (/^\d+$/.test(limit)) return Number(limit);
  return limit.split(',').reduce((sum, part) => {
    const [low = 0, high = low] = part.split('-').map(Number);
    return sum + Math.max(0, high - low) + 1;
  }, 0);
}

/** CPU time in nanoseconds since the present start: half a second to boot, then 1 to 12 percent of one CPU. */
export function cpuUsageNs(instance: InstanceRecord, nowMs: number): number {
  if (instance.run === null) return 0;
  const percent = 1 + pick(`${instance.name} cpu`, 12);
  return 500_000_000 + Math.round((upMs(instance, nowMs) * 1_000_000 * percent) / 100);
}

/** Bytes that `limits.memory` allows. */
export function memoryTotalBytes(instance: InstanceRecord): number {
  const limit = instance.config['limits.memory'] ?? '';
  if (limit === '') return hostMemoryBytes;
  if (limit.endsWith('%')) return Math.floor((hostMemoryBytes * Number(limit.slice(0, -1))) / 100);
  return parseIncusSize(limit) ?? hostMemoryBytes;
}

/**
 * Memory in use: 24 MiB and more for a bare system, more with Docker in it, growing a little in the first day, below
 * the limit.
 */
export function memoryInUseBytes(instance: InstanceRecord, nowMs: number): number {
  if (instance.run === null) return 0;
  const base = 24 * mib + pick(`${instance.name} memory`, 40) * mib + (instance.prepared ? 96 * mib : 0);
  const grown = Math.floor(Math.min(hours(upMs(instance, nowMs)), 24) * 4096) * kib;
  return Math.min(base + grown, Math.floor(memoryTotalBytes(instance) * 0.9));
}

/**
 * All that its control group is charged for: what is in use, and page cache. A boot reads programs, and then what is
 * read and written stays in the cache until the limit is near.
 */
export function memoryChargedBytes(instance: InstanceRecord, nowMs: number): number {
  if (instance.run === null) return 0;
  const cached = (instance.prepared ? 192 : 24) * mib + Math.floor(hours(upMs(instance, nowMs)) * 64 * 1024) * kib;
  return Math.min(memoryInUseBytes(instance, nowMs) + cached, Math.floor(memoryTotalBytes(instance) * 0.97));
}

/** Bytes of its root disk's quota; the whole pool where it has none. */
export function diskTotalBytes(state: HostState, instance: InstanceRecord): number {
  const root = rootDevice(instance.devices);
  return quotaOf(root) ?? state.pools.find((pool) => pool.name === root?.['pool'])?.totalBytes ?? 0;
}

/**
 * Bytes on disk: a clone costs little, then logs and packages add up while it runs, at most 512 MiB; pushed files
 * count.
 */
export function diskUsageBytes(instance: InstanceRecord, nowMs: number): number {
  const base = 8 * mib + pick(`${instance.name} disk`, 24) * mib;
  const pushed = Object.values(instance.files).reduce((sum, file) => sum + Buffer.byteLength(file.content), 0);
  const grown = Math.floor(Math.min(hours(instance.ranMs + upMs(instance, nowMs)) * 1024, 512 * 1024)) * kib;
  return base + pushed + grown;
}

/** Bytes of the pool that images and instances take, with what the file system needs for itself. */
export function poolUsedBytes(state: HostState, poolName: string, nowMs: number): number {
  const instances = Object.values(state.instances).filter(
    (instance) => rootDevice(instance.devices)?.['pool'] === poolName,
  );
  const used = instances.reduce((sum, instance) => sum + diskUsageBytes(instance, nowMs), 0);
  // Images are unpacked to about three times the size of their archive.
  return 16 * mib + used + state.images.reduce((sum, image) => sum + image.sizeBytes * 3, 0);
}
