/** The checks of `doctor` for Incus: its daemon, pool, bridge and prepared image. */
import { Failure } from '../../domain/failure.ts';
import { formatHuman } from '../../domain/values/size.ts';
import type { IncusPool } from '../../host/incus/documents.ts';
import { missingBridgeSettings, othersOnBridge, withoutFixedAddress } from '../../host/incus/bridgeSettings.ts';
import { isTrusted, untrusted } from '../../host/incus/trouble.ts';
import { zpoolOf } from '../../host/zpool.ts';
import { preparedImage } from '../images/preparedImage.ts';
import { addressRoom } from '../instances/addresses.ts';
import type { HostContext } from '../instances/context.ts';
import { findPlacement } from '../instances/placement.ts';
import { ok, problem, warning, type Outcome } from './outcome.ts';
import type { DoctorTools } from './tools.ts';

export async function checkIncus({ incus }: HostContext, signal: AbortSignal): Promise<Outcome> {
  const server = await incus.server(signal);
  const { server_version: version, kernel_version: kernel } = server.environment;
  return isTrusted(server) ? ok(`Incus ${version}, kernel ${kernel}`) : problem(untrusted, 'run the server as root');
}

/** Checks that the event stream of Incus is followed, without which lists ask Incus about every container. */
export function checkMirror({ mirror }: Pick<HostContext, 'mirror'>): Outcome {
  if (!mirror.isFollowed) return ok('lists ask Incus');
  if (mirror.trouble !== null)
    return warning(`lists ask Incus until it can be followed again: ${mirror.trouble}`, 'journalctl -u incus');
  return ok(
    mirror.present === undefined ? 'lists ask Incus until it has answered' : 'lists follow the events of Incus',
  );
}

export async function checkStorage(context: HostContext, signal: AbortSignal): Promise<Outcome> {
  const placement = await findPlacement(context, signal);
  const { usedBytes, totalBytes } = await context.incus.poolSpace(placement.pool, signal);
  const share = totalBytes === 0 ? 0 : usedBytes / totalBytes;
  const text = `pool ${placement.pool} (${placement.driver}), ${formatHuman(usedBytes)} of ${formatHuman(totalBytes)} used`;
  if (share > 0.95) return problem(text, 'enlarge the pool before it is full');
  if (!placement.quotas)
    return warning(
      `${text}; this driver has no quotas, and one container can slow down the others`,
      'use a zfs or btrfs pool',
    );
  return share > 0.8 ? warning(text, 'enlarge the pool') : ok(text);
}

/** Checks the pool's status in Incus and, with ZFS, the health of the zpool. */
export async function checkPool(context: HostContext, tools: DoctorTools, signal: AbortSignal): Promise<Outcome> {
  const { pool: name } = await findPlacement(context, signal);
  const pool = (await context.incus.pools(signal)).find((candidate) => candidate.name === name);
  return judgePool(name, pool, tools, signal);
}

/** Judges the health of a pool. `pool` is what Incus says of it; undefined if it says nothing. */
export async function judgePool(
  name: string,
  pool: IncusPool | undefined,
  { poolTrouble }: Pick<DoctorTools, 'poolTrouble'>,
  signal: AbortSignal,
): Promise<Outcome> {
  if (pool === undefined) return problem(`pool ${name} is gone`);
  if (pool.status !== '' && pool.status !== 'Created')
    return problem(`pool ${name}: Incus says ${pool.status}`, `incus storage show ${name}`);
  if (pool.driver !== 'zfs') return ok(`pool ${name} exists`);
  const zpool = zpoolOf(pool);
  try {
    const trouble = await poolTrouble(zpool, signal);
    return trouble === undefined
      ? ok(`pool ${name} is healthy`)
      : problem(`pool ${name}: ${trouble}`, `zpool status -v ${zpool}`);
  } catch (error) {
    const failure = Failure.from(error);
    // Incus may bring its own ZFS tools, so the host can lack them.
    if (failure.code === 'program-missing')
      return warning(`pool ${name} exists; its health is unknown`, 'install zfsutils-linux');
    throw failure;
  }
}

export async function checkNetwork(context: HostContext, signal: AbortSignal): Promise<Outcome> {
  const [placement, server] = await Promise.all([findPlacement(context, signal), context.incus.server(signal)]);
  const { network: name, gateway } = placement;
  const text = `bridge ${name} ${gateway}`;
  if (!context.host.simulated && server.environment.firewall !== 'nftables')
    return warning(`${text}; firewall driver ${server.environment.firewall ?? 'unknown'}`, 'install nftables');
  const [networks, instances] = await Promise.all([context.incus.networks(signal), context.incus.instances(signal)]);
  const bridge = networks.find((network) => network.name === name);
  if (bridge === undefined) return problem(`${text} is gone`);
  const missing = missingBridgeSettings(bridge.config);
  if (Object.keys(missing).length > 0) {
    const others = othersOnBridge(bridge, instances);
    return warning(
      `${text}; a container can take leases under made-up addresses, or learn the names of the others: it lacks ` +
        `${Object.keys(missing).join(' and ')}${others === undefined ? '' : `, which "serve --real" leaves alone because ${others}`}`,
      others === undefined
        ? 'containarium serve --real sets them'
        : `give each instance on it a fixed address, then ${setCommand(name, missing)}`,
    );
  }
  const unserved = withoutFixedAddress(name, instances);
  if (unserved.length > 0)
    return warning(
      `${text}; no DHCP for ${unserved.join(', ')}, which have no fixed address`,
      `incus config device override ${unserved[0] ?? ''} eth0 security.ipv4_filtering=true`,
    );
  if (placement.ipv6)
    return warning(
      `${text}; it has IPv6 too, where a container can use the address of another towards this host`,
      `incus network set ${name} ipv6.address=none`,
    );
  const { taken, total } = await addressRoom(context.incus, placement, signal);
  if (taken >= total * 0.8)
    return warning(
      `${text}; ${taken} of its ${total} addresses are taken`,
      'enlarge its network, see "More users than addresses" in docs/runbook.md',
    );
  return ok(`${text}, closed: DHCP for known instances, no names`);
}

/** Returns a command for a person. The shell's `$'…'` holds lines, and leaves an exclamation mark alone. */
function setCommand(bridge: string, settings: Readonly<Record<string, string>>): string {
  const words = Object.entries(settings).map(([key, value]) =>
    /^[\w.-]+$/.test(value)
      ? `${key}=${value}`
      : `${key}=$'${value.replaceAll(/[\\']/g, String.raw`\$&`).replaceAll('\n', String.raw`\n`)}'`,
  );
  return `incus network set ${bridge} ${words.join(' ')}`;
}

export async function checkImage(context: HostContext, signal: AbortSignal): Promise<Outcome> {
  const { base } = context.settings.image;
  const image = await preparedImage(context, base, signal);
  if (image === undefined)
    return warning(`no prepared image for ${base} yet`, '"image build" builds it now; otherwise the first create does');
  return image.current
    ? ok(`${image.alias}, ${formatHuman(image.sizeBytes)}`)
    : warning(`${image.alias} was built by another version`, '"image build" builds it again');
}
