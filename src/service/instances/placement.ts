/** Where containers go: the storage pool, the bridge, and its address. */
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
  /** Whether the bridge has an IPv6 address. */
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
        ? 'containarium serve --real prepares Incus'
        : `set ${setting} to one of ${candidates.map((c) => c.name).join(', ')}`,
  });
}

function preferred(candidates: readonly { name: string }[], names: readonly string[]): string | undefined {
  return names.find((name) => candidates.some((candidate) => candidate.name === name));
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
    ipv6: (network.config['ipv6.address'] ?? 'none') !== 'none',
  };
}
