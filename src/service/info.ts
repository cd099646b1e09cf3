/** `info`: one container in detail, or the host. */
import type { HostInfo } from '../domain/results/about.ts';
import type { ContainerDetails } from '../domain/results/container.ts';
import type { Username } from '../domain/values/username.ts';
import { fingerprintOf } from '../host/hostKey.ts';
import type { IncusInstance } from '../host/incus/documents.ts';
import type { ServiceContext } from './context.ts';
import { hostInfo } from './hostInfo.ts';
import { instanceOf, rootDevice, toContainer } from './instances/containers.ts';
import type { Call, HostContext } from './instances/context.ts';
import { isOurAccount } from './instances/jumpAccount.ts';
import { lastLogin } from './instances/lastLogin.ts';
import { decodeKeys, field, keyInfo } from './instances/metadata.ts';
import { findPlacement } from './instances/placement.ts';
import { ownContainer } from './instances/target.ts';
import { snapshotsOf, type KeptSnapshot } from './snapshots/generations.ts';

/** How long CPU use is measured, in milliseconds: long enough to be meaningful, short enough to wait for. */
const cpuSampleMs = 300;

async function cpuPercent(context: HostContext, instance: IncusInstance, signal: AbortSignal): Promise<number | null> {
  const before = instance.state?.cpu?.usage;
  if (before === undefined || instance.status.toLowerCase() !== 'running') return null;
  const first = await context.incus.state(instance.name, signal);
  const startedMs = performance.now();
  await new Promise((resolve) => setTimeout(resolve, cpuSampleMs));
  const second = await context.incus.state(instance.name, signal);
  const elapsedNs = (performance.now() - startedMs) * 1e6;
  const usedNs = (second.cpu?.usage ?? 0) - (first.cpu?.usage ?? 0);
  return usedNs < 0 ? null : Math.round((usedNs / elapsedNs) * 1000) / 10;
}

/** Returns a snapshot as the list of instances has it. */
function toListed({ name, createdAt }: KeptSnapshot): { name: string; created_at: string } {
  return { name, created_at: createdAt };
}

async function containerDetails(
  context: HostContext,
  user: Username,
  call: Pick<Call, 'signal'>,
): Promise<Omit<ContainerDetails, 'recent' | 'lastSeen'>> {
  const instance = await instanceOf(context, user, call.signal);
  const [percent, inUse, account, placement, groupId, lastLoginAt, kills, kept] = await Promise.all([
    cpuPercent(context, instance, call.signal),
    context.incus.memoryInUse(call.signal),
    context.accounts.account(user, call.signal),
    findPlacement(context, call.signal),
    context.accounts.groupId(context.settings.jump.group, call.signal),
    lastLogin(context.incus, instance, user, call.signal),
    context.oomLog.kills(),
    snapshotsOf(context, user, call.signal),
  ]);
  const ours = account !== undefined && isOurAccount(account, groupId);
  const hostKey = instance.config[field.hostKey];
  return {
    ...toContainer({ ...instance, snapshots: kept.map(toListed) }, inUse, kills),
    lastBackupAt: context.backupAges.of(instance.name),
    cpuPercent: percent,
    storage: {
      pool: rootDevice(instance)?.device['pool'] ?? placement.pool,
      driver: placement.driver,
      quotas: placement.quotas,
    },
    hostKeyFingerprint: hostKey === undefined ? null : fingerprintOf(hostKey),
    lastLoginAt,
    keyList: decodeKeys(instance.config[field.keys]).map(keyInfo),
    network: networkOf(instance),
    jumpAccount: { exists: ours, shell: ours ? account.shell : null },
  };
}

/** Returns the network interface of a running instance with what it has carried. */
function networkOf({ devices, expanded_devices, state }: IncusInstance): ContainerDetails['network'] {
  const [name, device] =
    Object.entries({ ...expanded_devices, ...devices }).find(([, { type }]) => type === 'nic') ?? [];
  const found = state?.network?.[device?.['name'] ?? name ?? ''];
  if (name === undefined || device === undefined || found === undefined) return null;
  return {
    name: device['name'] ?? name,
    macAddress: found.hwaddr,
    bridge: device['network'] ?? device['parent'] ?? '',
    receivedBytes: found.counters?.bytes_received ?? 0,
    sentBytes: found.counters?.bytes_sent ?? 0,
  };
}

/** Returns the caller's container at self@; elsewhere the container of `user`, or the host. */
export async function info(
  context: ServiceContext,
  { user }: { readonly user?: Username | undefined },
  call: Call,
): Promise<{ readonly container: ContainerDetails } | { readonly hostInfo: HostInfo }> {
  const shown = call.actor.entryPoint === 'self' ? ownContainer(user, call.actor) : user;
  if (shown === undefined) return { hostInfo: await hostInfo(context, call.signal) };
  const details = await containerDetails(context, shown, call);
  const lastSeen = context.connections.lastSeen(shown) ?? null;
  return { container: { ...details, lastSeen, recent: recentUse(context, shown) } };
}

function recentUse({ feed }: Pick<ServiceContext, 'feed'>, user: string): ContainerDetails['recent'] {
  const samples = feed.samples(user);
  return {
    cpuPercent: samples.map(({ cpuPercent }) => cpuPercent ?? 0),
    memoryBytes: samples.map(({ memoryBytes }) => memoryBytes ?? 0),
  };
}
