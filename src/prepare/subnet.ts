/**
 * Finds an IPv4 network for a bridge that overlaps no address or route of the machine: a bridge on a network that is
 * also routed elsewhere makes that network unreachable.
 */
import ipaddr from 'ipaddr.js';
import { Failure } from '../domain/failure.ts';
import { ipv4ToNumber } from '../domain/values/network.ts';
import { run } from './programs.ts';

/** An IPv4 network as its first and last address, both unsigned 32-bit numbers. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

/** Parses `10.0.3.0/24` or a single address. Returns undefined for anything else. */
export function parseRange(text: string): Range | undefined {
  const cidr = text.includes('/') ? text : `${text}/32`;
  if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(cidr)) return undefined;
  return {
    first: ipv4ToNumber(ipaddr.IPv4.networkAddressFromCIDR(cidr)),
    last: ipv4ToNumber(ipaddr.IPv4.broadcastAddressFromCIDR(cidr)),
  };
}

export function overlap(a: Range, b: Range): boolean {
  return a.first <= b.last && b.first <= a.last;
}

/** Sizes to try, as prefix lengths: room for 4,000 containers, or for 250 where no larger network is free. */
const prefixLengths = [20, 24] as const;

/**
 * Yields the bridge's own address in each network to try. 10.0.3.1 comes first, because existing setups use it. 192.168
 * comes last and 172.17 to 172.31 are left out, because Docker in the containers takes its networks from there.
 */
export function* candidates(prefixLength: number): Generator<string> {
  const step = 2 ** (24 - prefixLength);
  yield `10.0.3.1/${prefixLength}`;
  for (let second = 64; second < 256; second += 1) yield `10.${second}.3.1/${prefixLength}`;
  for (let third = 0; third < 256; third += step) yield `172.16.${third}.1/${prefixLength}`;
  for (let third = 256 - step; third >= 0; third -= step) yield `192.168.${third}.1/${prefixLength}`;
}

function* allCandidates(): Generator<string> {
  for (const prefixLength of prefixLengths) yield* candidates(prefixLength);
}

/** Returns the first candidate whose network overlaps no used range: the bridge's own address (`10.0.3.1/20`). */
export function freeSubnet(used: readonly Range[], tried: Iterable<string> = allCandidates()): string {
  for (const address of tried) {
    const range = parseRange(address);
    if (range !== undefined && !used.some((each) => overlap(each, range))) return address;
  }
  throw new Failure('settings', {
    what: 'an address range for the containers',
    why: 'every private IPv4 network that was tried overlaps an address or route of this machine',
    next: 'create a managed bridge yourself ("incus network create incusbr0 ipv4.address=…"), and start again',
  });
}

/** Returns the first candidate whose network has all these addresses, or undefined if none has, or there are none. */
export function subnetOf(addresses: readonly string[]): string | undefined {
  const ranges = addresses.map((address) => parseRange(address));
  if (ranges.length === 0) return undefined;
  for (const address of candidates(prefixLengths[0])) {
    const network = parseRange(address);
    if (network !== undefined && ranges.every((range) => range !== undefined && overlap(network, range)))
      return address;
  }
  return undefined;
}

interface IpAddress {
  readonly addr_info?: readonly { readonly local?: unknown; readonly prefixlen?: unknown }[];
}

/** Returns the IPv4 ranges of the machine's addresses and routes, except the default route. */
export async function usedRanges(): Promise<Range[]> {
  const [addresses, routes] = await Promise.all([
    run('ip', ['-json', '-4', 'address', 'show']),
    run('ip', ['-json', '-4', 'route', 'show', 'table', 'all']),
  ]);
  const texts: string[] = [];
  for (const link of parseList(addresses.stdout, 'ip address') as IpAddress[]) {
    for (const { local, prefixlen } of link.addr_info ?? []) texts.push(`${String(local)}/${String(prefixlen)}`);
  }
  for (const route of parseList(routes.stdout, 'ip route') as { readonly dst?: unknown }[]) {
    if (typeof route.dst === 'string' && route.dst !== 'default' && !route.dst.endsWith('/0')) texts.push(route.dst);
  }
  return texts.map(parseRange).filter((range) => range !== undefined);
}

function parseList(text: string, program: string): unknown[] {
  // iproute2 prints nothing for an empty list.
  if (text.trim() === '') return [];
  const value: unknown = JSON.parse(text);
  if (Array.isArray(value)) return value.filter((each) => typeof each === 'object' && each !== null);
  throw new Failure('unexpected-output', { what: `"${program}"`, why: 'its output is not a list' });
}
