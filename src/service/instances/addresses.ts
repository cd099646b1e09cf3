/** Addresses for new containers: those taken, and those promised to a create that Incus does not know about yet. */
import ipaddr from 'ipaddr.js';
import { Failure } from '../../domain/failure.ts';
import { ipv4ToNumber } from '../../domain/values/network.ts';
import type { Incus } from '../../host/incus/incus.ts';
import type { Placement } from './placement.ts';

/** Promises by Incus: a promise binds every create on the same Incus. */
const promised = new WeakMap<Incus, { readonly addresses: Set<string>; tail: Promise<unknown> }>();

function promisesOf(incus: Incus): { readonly addresses: Set<string>; tail: Promise<unknown> } {
  const known = promised.get(incus) ?? { addresses: new Set<string>(), tail: Promise.resolve() };
  promised.set(incus, known);
  return known;
}

/** Returns the addresses that are promised now. */
export function promisedAddresses(incus: Incus): readonly string[] {
  return [...promisesOf(incus).addresses];
}

export interface PromisedAddress {
  readonly address: string;
  /** Ends the promise. Call it when Incus knows the address, or when the create has failed. */
  release(): void;
}

/**
 * Chooses a free address of the bridge, the wanted one if it is free, and promises it to the caller. Incus accepts a
 * second instance with the same address and refuses only to start it, so calls run one at a time. An address that was
 * promised when Incus was queried stays taken even if its promise ends meanwhile.
 */
export function promiseAddress(
  incus: Incus,
  { gateway, network }: Pick<Placement, 'gateway' | 'network'>,
  wanted?: string,
): Promise<PromisedAddress> {
  const promises = promisesOf(incus);
  const chosen = promises.tail.then(async () => {
    const before = [...promises.addresses];
    const [leased, instances] = await Promise.all([incus.leasedAddresses(network), incus.instances()]);
    const fixed = instances.flatMap((instance) =>
      Object.values(instance.devices).flatMap((device) => device['ipv4.address'] ?? []),
    );
    const address = freeAddress(gateway, new Set([...leased, ...fixed, ...before]), wanted);
    promises.addresses.add(address);
    return { address, release: () => void promises.addresses.delete(address) };
  });
  promises.tail = chosen.catch(() => undefined);
  return chosen;
}

/**
 * Returns the first free address of the bridge's network: from `.100` up, as the original Containarium did, then from
 * `.2`. Skips the network, gateway and broadcast addresses. `gateway` is the host's own address with the prefix length:
 * `10.0.3.1/24`.
 */
function freeAddress(gateway: string, taken: ReadonlySet<string>, wanted?: string): string {
  const [own = '', prefix = '24'] = gateway.split('/');
  if (!ipaddr.IPv4.isValidFourPartDecimal(own))
    throw new Failure('unexpected-output', { what: `address "${own}"`, why: 'it is not an IPv4 address' });
  const size = 2 ** (32 - Number(prefix));
  const base = Math.floor(ipv4ToNumber(ipaddr.IPv4.parse(own)) / size) * size;
  const usable = (offset: number): boolean => offset >= 2 && offset < size - 1;
  if (wanted !== undefined && ipaddr.IPv4.isValidFourPartDecimal(wanted) && wanted !== own && !taken.has(wanted)) {
    const offset = ipv4ToNumber(ipaddr.IPv4.parse(wanted)) - base;
    if (usable(offset)) return wanted;
  }
  for (const range of [
    [100, size - 1],
    [2, Math.min(100, size - 1)],
  ] as const) {
    for (let offset = range[0]; offset < range[1]; offset++) {
      const address = ipaddr.IPv4.parse(String(base + offset)).toString();
      if (usable(offset) && address !== own && !taken.has(address)) return address;
    }
  }
  throw new Failure('no-space', {
    what: `network ${gateway}`,
    why: 'all its addresses are taken',
    next: 'delete a container, or use a larger network',
  });
}
