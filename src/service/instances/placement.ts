/** Where containers go: the storage pool, the bridge, and its address. */
import { isIP, isIPv4 } from 'node:net';
import { Failure } from '../../domain/failure.ts';
import type { IncusNetwork, IncusPool } from '../../host/incus/documents.ts';
import type { HostContext } from './context.ts';

export interface Placement {
  readonly pool: string;
  readonly driver: string;
  /** Whether the pool's driver can limit the size of a disk: `dir` cannot (Incus documentation, storage drivers). */
  readonly quotas: boolean;
  readonly network: string;
  /** The host's address on the bridge, with the prefix length: `10.0.3.1/24`. */
  readonly gateway: string;
  /** What a container is told: the address of its router, its name servers, and whether the bridge has IPv6. */
  readonly router: string;
  readonly nameservers: readonly string[];
  readonly ipv6: boolean;
}

function choose<T extends { name: string }>(
  what: string,
  setting: string,
  wanted: string | undefined,
  candidates: readonly T[],
): T {
  const found = wanted === undefined ? undefined : candidates.find((candidate) => candidate.name === wanted);
  if (found !== undefined) return found;
  if (wanted === undefined && candidates.length === 1 && candidates[0] !== undefined) return candidates[0];
  throw new Failure('settings', {
    what: wanted === undefined ? `the ${what}` : `${what} "${wanted}"`,
    why: wanted === undefined ? `Incus has ${candidates.length} to choose from` : 'Incus does not have it',
    next:
      candidates.length === 0
        ? 'containarium serve --real prepares a new Incus; if this one has lost its database, see docs/recovery.md'
        : `set ${setting} to one of ${candidates.map((c) => c.name).join(', ')}`,
  });
}

function preferred(candidates: readonly { name: string }[], names: readonly string[]): string | undefined {
  return names.find((name) => candidates.some((candidate) => candidate.name === name));
}

/** Returns what the bridge's DHCP server tells its clients. Ignores values that are not addresses. */
function toldToContainers(
  { config }: IncusNetwork,
  gateway: string,
): Pick<Placement, 'router' | 'nameservers' | 'ipv6'> {
  const own = gateway.split('/')[0] ?? '';
  const router = config['ipv4.dhcp.gateway'] ?? '';
  const nameservers = (config['dns.nameservers'] ?? '').split(/[,\s]+/).filter((server) => isIP(server) !== 0);
  const ipv6 = config['ipv6.address'] ?? '';
  return {
    router: isIPv4(router) ? router : own,
    nameservers: nameservers.length === 0 ? [own] : nameservers,
    ipv6: ipv6 !== '' && ipv6 !== 'none',
  };
}

export async function findPlacement(
  context: Pick<HostContext, 'incus' | 'settings'>,
  signal?: AbortSignal,
): Promise<Placement> {
  const [pools, networks] = await Promise.all([context.incus.pools(signal), context.incus.networks(signal)]);
  const bridges = networks.filter((network) => network.managed && network.type === 'bridge');
  const { incus } = context.settings;
  const pool: IncusPool = choose('storage pool', 'incus.pool', incus.pool ?? preferred(pools, ['default']), pools);
  const network: IncusNetwork = choose(
    'network',
    'incus.network',
    incus.network ?? preferred(bridges, ['incusbr0']),
    bridges,
  );
  const gateway = network.config['ipv4.address'] ?? '';
  if (!/^[\d.]+\/\d+$/.test(gateway)) {
    throw new Failure('settings', {
      what: `network "${network.name}"`,
      why: 'it has no IPv4 address',
      next: `incus network set ${network.name} ipv4.address 10.0.3.1/24`,
    });
  }
  return {
    pool: pool.name,
    driver: pool.driver,
    quotas: pool.driver !== 'dir',
    network: network.name,
    gateway,
    ...toldToContainers(network, gateway),
  };
}
