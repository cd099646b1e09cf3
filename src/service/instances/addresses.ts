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

interface Choice {
  /** Taken if it is free. */
  readonly preferred?: string | undefined;
  /** Addresses to take only if no other is free. */
  readonly avoid?: ReadonlySet<string>;
}

/**
 * Chooses a free address of the bridge and promises it to the caller. Incus accepts a second instance with the same
 * address and refuses only to start it, so calls run one at a time. An address that was promised when Incus was queried
 * stays taken even if its promise ends meanwhile.
 */
export function promiseAddress(
  incus: Incus,
  { gateway, network }: Pick<Placement, 'gateway' | 'network'>,
  { preferred, avoid = new Set() }: Choice = {},
): Promise<PromisedAddress> {
  const promises = promisesOf(incus);
  const chosen = promises.tail.then(async () => {
    const before = [...promises.addresses];
    const taken = new Set([...(await takenAddresses(incus, network)), ...before]);
    const address =
      (preferred !== undefined && isFree(preferred, gateway, taken) ? preferred : undefined) ??
      firstOf(freeAddresses(gateway, new Set([...taken, ...avoid]))) ??
      firstOf(freeAddresses(gateway, taken));
    if (address === undefined)
      throw new Failure('no-space', {
        what: `network ${gateway}`,
        why: 'all its addresses are taken',
        next: 'delete a container, or use a larger network',
      });
    promises.addresses.add(address);
    return { address, release: () => void promises.addresses.delete(address) };
  });
  promises.tail = chosen.catch(() => undefined);
  return chosen;
}

/** Returns the addresses that instances have, or a lease of the bridge's DHCP server. */
async function takenAddresses(incus: Incus, network: string, signal?: AbortSignal): Promise<readonly string[]> {
  const [leased, instances] = await Promise.all([incus.leasedAddresses(network, signal), incus.instances(signal)]);
  const fixed = instances.flatMap((instance) =>
    Object.values(instance.devices).flatMap((device) => device['ipv4.address'] ?? []),
  );
  return [...leased, ...fixed];
}

/** Returns how many addresses the bridge has for containers, and how many of them are taken. */
export async function addressRoom(
  incus: Incus,
  { gateway, network }: Pick<Placement, 'gateway' | 'network'>,
  signal: AbortSignal,
): Promise<{ readonly taken: number; readonly total: number }> {
  const own = ipaddr.IPv4.parseCIDR(gateway);
  const [, prefixLength] = own;
  const taken = new Set(
    (await takenAddresses(incus, network, signal)).filter(
      (address) => ipaddr.IPv4.isValidFourPartDecimal(address) && ipaddr.IPv4.parse(address).match(own),
    ),
  );
  // Not those of the network, the host and the broadcast.
  const total = Math.max(0, 2 ** (32 - prefixLength) - 3);
  return { taken: [...taken].filter((address) => address !== gateway.split('/')[0]).length, total };
}

function firstOf<T>(values: Generator<T>): T | undefined {
  for (const value of values) return value;
  return undefined;
}

function isFree(address: string, gateway: string, taken: ReadonlySet<string>): boolean {
  const [own] = gateway.split('/');
  return (
    address !== own &&
    !taken.has(address) &&
    ipaddr.IPv4.isValidFourPartDecimal(address) &&
    ipaddr.IPv4.parse(address).match(ipaddr.IPv4.parseCIDR(gateway))
  );
}

/**
 * Yields the free addresses of the bridge's network: from `.100` up, as the original Containarium did, then from `.2`.
 * Skips the network, gateway and broadcast addresses. `gateway` is the host's own address with the prefix length:
 * `10.0.3.1/24`.
 */
function* freeAddresses(gateway: string, taken: ReadonlySet<string>): Generator<string> {
  const [own = '', prefix = '24'] = gateway.split('/');
  if (!ipaddr.IPv4.isValidFourPartDecimal(own))
    throw new Failure('unexpected-output', { what: `address "${own}"`, why: 'it is not an IPv4 address' });
  const size = 2 ** (32 - Number(prefix));
  const base = Math.floor(ipv4ToNumber(ipaddr.IPv4.parse(own)) / size) * size;
  const usable = (offset: number): boolean => offset >= 2 && offset < size - 1;
  for (const range of [
    [100, size - 1],
    [2, Math.min(100, size - 1)],
  ] as const) {
    for (let offset = range[0]; offset < range[1]; offset++) {
      const address = ipaddr.IPv4.parse(String(base + offset)).toString();
      if (usable(offset) && address !== own && !taken.has(address)) yield address;
    }
  }
}
