/**
 * Addresses for new containers: which are taken, and which are promised to a create that Incus does not know of yet.
 */
import { Failure } from '../../domain/failure.ts';
import type { Incus } from '../../host/incus/incus.ts';
import { addressToNumber, numberToAddress, type Placement } from './placement.ts';

/** By Incus, because what is promised holds for everybody who creates there. */
const promised = new WeakMap<Incus, { readonly addresses: Set<string>; tail: Promise<unknown> }>();

function promisesOf(incus: Incus): { readonly addresses: Set<string>; tail: Promise<unknown> } {
  const known = promised.get(incus) ?? { addresses: new Set<string>(), tail: Promise.resolve() };
  promised.set(incus, known);
  return known;
}

/** The addresses that are promised right now. */
export function promisedAddresses(incus: Incus): readonly string[] {
  return [...promisesOf(incus).addresses];
}

export interface PromisedAddress {
  readonly address: string;
  /** To be called when Incus knows the address, or nobody needs it any more. */
  release(): void;
}

/**
 * Chooses a free address of the bridge and promises it to the caller. Incus accepts a second instance with the same
 * address and refuses only to start it, so whoever chooses must be alone: calls follow one another, and an address that
 * was promised when Incus was asked stays out even if the promise ended meanwhile.
 */
export function promiseAddress(
  incus: Incus,
  { gateway, network }: Pick<Placement, 'gateway' | 'network'>,
): Promise<PromisedAddress> {
  const promises = promisesOf(incus);
  const chosen = promises.tail.then(async () => {
    const before = [...promises.addresses];
    const [leased, instances] = await Promise.all([incus.leasedAddresses(network), incus.instances()]);
    const fixed = instances.flatMap((instance) =>
      Object.values(instance.devices).flatMap((device) => device['ipv4.address'] ?? []),
    );
    const address = freeAddress(gateway, new Set([...leased, ...fixed, ...before]));
    promises.addresses.add(address);
    return { address, release: () => void promises.addresses.delete(address) };
  });
  promises.tail = chosen.catch(() => undefined);
  return chosen;
}

/**
 * The first free address of the bridge's network: from `.100` up, as the original gave them out, then from `.2`.
 * Network, gateway and broadcast addresses are never given. `gateway` is the host's own address with the prefix length:
 * `10.0.3.1/24`.
 */
export function freeAddress(gateway: string, taken: ReadonlySet<string>): string {
  const [own = '', prefix = '24'] = gateway.split('/');
  const size = 2 ** (32 - Number(prefix));
  const base = Math.floor(addressToNumber(own) / size) * size;
  const usable = (offset: number): boolean => offset >= 2 && offset < size - 1;
  for (const range of [
    [100, size - 1],
    [2, Math.min(100, size - 1)],
  ] as const) {
    for (let offset = range[0]; offset < range[1]; offset++) {
      const address = numberToAddress(base + offset);
      if (usable(offset) && address !== own && !taken.has(address)) return address;
    }
  }
  throw new Failure('no-space', {
    what: `network ${gateway}`,
    why: 'all its addresses are taken',
    next: 'delete a container, or use a larger network',
  });
}
