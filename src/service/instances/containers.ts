/** Reads Incus instances as this system's containers. */
import { isTrue } from '../../host/incus/booleans.ts';
import { isIPv4 } from 'node:net';
import type { Container, InstanceStatus } from '../../domain/results/container.ts';
import { instanceStatuses } from '../../domain/results/container.ts';
import { Failure } from '../../domain/failure.ts';
import { parseIncusSize } from '../../domain/values/size.ts';
import { containerName, NoContainer, type Username } from '../../domain/values/username.ts';
import type { IncusInstance } from '../../host/incus/documents.ts';
import type { MemoryInUse } from '../../host/incus/memoryMetrics.ts';
import { pendingIsolation } from '../isolation/change.ts';
import type { OomKills } from '../../host/oomKills.ts';
import type { HostContext } from './context.ts';
import { memoryUsed } from './memory.ts';
import { isProtected } from './protection.ts';
import { outOfMemory } from './outOfMemory.ts';
import { decodeKeys, field, keyInfo, labelsOf, ownerOfInstance, provisioningOf } from './metadata.ts';

/** Returns the root disk, with `own` false if it comes from a profile. */
export function rootDevice(
  instance: IncusInstance,
): { name: string; own: boolean; device: Readonly<Record<string, string>> } | undefined {
  for (const [own, devices] of [
    [true, instance.devices],
    [false, instance.expanded_devices ?? {}],
  ] as const) {
    for (const [name, device] of Object.entries(devices)) {
      if (device['type'] === 'disk' && device['path'] === '/') return { name, own, device };
    }
  }
  return undefined;
}

/** Returns the fixed address of the instance's bridge interface; without one, its present address. */
export function addressOf(instance: IncusInstance): string | null {
  for (const device of Object.values(instance.devices)) {
    if (device['type'] === 'nic' && isAddress(device['ipv4.address'])) return device['ipv4.address'];
  }
  const addresses = instance.state?.network?.['eth0']?.addresses ?? [];
  return addresses.find((a) => a.family === 'inet' && a.scope === 'global' && isAddress(a.address))?.address ?? null;
}

/** Addresses end up in files that sshd and ssh read, so any other text is ignored. */
function isAddress(text: string | undefined): text is string {
  return text !== undefined && isIPv4(text);
}

function status(instance: IncusInstance): InstanceStatus {
  const word = instance.status.toLowerCase();
  return (instanceStatuses as readonly string[]).includes(word) ? (word as InstanceStatus) : 'unknown';
}

/** Converts an instance. Without `inUse`, memory use is all that the container is charged for, page cache included. */
export function toContainer(
  instance: IncusInstance,
  inUse: MemoryInUse = nothing,
  kills: OomKills = nothing,
): Container {
  const known = converted.get(instance);
  if (known?.inUse === inUse && known.kills === kills) return known.container;
  const container = convert(instance, inUse, kills);
  converted.set(instance, { inUse, kills, container });
  return container;
}

const nothing = new Map<string, never>();

/** An instance in the mirror is the same object until it has changed. */
const converted = new WeakMap<
  IncusInstance,
  { readonly inUse: MemoryInUse; readonly kills: OomKills; readonly container: Container }
>();

function convert(instance: IncusInstance, inUse: MemoryInUse, kills: OomKills): Container {
  const config = { ...(instance.expanded_config ?? {}), ...instance.config };
  const disk = instance.state?.disk?.['root'];
  const running = status(instance) === 'running';
  return {
    user: ownerOfInstance(instance) ?? '',
    name: instance.name,
    status: status(instance),
    provisioning: provisioningOf(instance),
    address: addressOf(instance),
    cpus: count(config['limits.cpu']),
    memoryLimitBytes: parseIncusSize(config['limits.memory'] ?? '') ?? null,
    memoryUsedBytes: running ? (memoryUsed(instance, inUse) ?? null) : null,
    diskQuotaBytes: parseIncusSize(rootDevice(instance)?.device['size'] ?? '') ?? null,
    diskUsedBytes: disk === undefined ? null : disk.usage,
    processLimit: count(config['limits.processes']),
    autostart: isTrue(config['boot.autostart']),
    docker: isTrue(config['security.nesting']),
    protected: isProtected(instance),
    expiresAt: config[field.expires] ?? null,
    image: config[field.image] ?? config['image.description'] ?? '-',
    labels: labelsOf(instance),
    createdAt: instance.created_at,
    createdBy: config[field.createdBy] ?? '',
    startedAt: running ? startedAt(instance) : null,
    processes: running ? (instance.state?.processes ?? null) : null,
    restartFor: pendingIsolation(instance),
    snapshots: instance.snapshots?.length ?? 0,
    lastSnapshotAt: newest(instance.snapshots ?? []),
    lastBackupAt: null,
    outOfMemory: outOfMemory(instance, kills),
    keys: decodeKeys(config[field.keys]).map((key) => keyInfo(key).fingerprint),
  };
}

/** Returns when the newest snapshot was made. */
function newest(snapshots: readonly { readonly created_at: string }[]): string | null {
  const times = snapshots.map(({ created_at: at }) => Date.parse(at)).filter((ms) => !Number.isNaN(ms));
  return times.length === 0 ? null : new Date(Math.max(...times)).toISOString();
}

function count(text: string | undefined): number | null {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : null;
}

/** Incus reports year 1 for "never". */
function startedAt(instance: IncusInstance): string | null {
  const time = instance.state?.started_at ?? null;
  return time === null || time.startsWith('0001-') ? null : time;
}

/**
 * Returns the instance of a user. Rejects with `not-found` if Incus has none, or if this system did not create it.
 */
export async function instanceOf(context: HostContext, user: Username, signal?: AbortSignal): Promise<IncusInstance> {
  return ownedBy(user, await context.incus.instance(containerName(user), signal));
}

function ownedBy(user: Username, instance: IncusInstance | undefined): IncusInstance {
  if (instance === undefined || ownerOfInstance(instance) !== user) throw new NoContainer(user);
  return instance;
}

export interface ChangeOptions {
  /** The caller's own operation holds the container. */
  readonly own?: boolean;
  /** The caller's operation may take over one that waits. */
  readonly takesOver?: boolean;
  /** The caller needs nothing of the instance's state. */
  readonly stored?: boolean;
}

/**
 * Like {@link instanceOf}, for changes: refuses if another operation holds the container or has left it unfinished.
 */
export async function changeableInstanceOf(
  context: HostContext,
  user: Username,
  { own = false, takesOver = false, stored = false }: ChangeOptions = {},
): Promise<IncusInstance> {
  if (!own) context.operations.ensureFree(user, { takesOver });
  const { incus } = context;
  const name = containerName(user);
  const instance = ownedBy(user, await (stored ? incus.storedInstance(name) : incus.instance(name)));
  const provisioning = provisioningOf(instance);
  if (provisioning !== 'ready') {
    throw new Failure('wrong-state', {
      what: `container "${instance.name}"`,
      why: `an operation on it was left unfinished (${provisioning})`,
      next: `on the host, "incus config unset ${instance.name} ${field.state}" keeps it and "incus delete --force ${instance.name}" removes it; then "reconcile --apply"`,
    });
  }
  return instance;
}
