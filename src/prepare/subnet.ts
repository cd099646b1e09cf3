/**
 * Finds an IPv4 /24 for a bridge that overlaps no address or route of the machine: a bridge on a network that is also
 * routed elsewhere makes that network unreachable.
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

/**
 * Yields the /24 networks to try, as their first three bytes. 10.0.3 comes first, because existing setups use it.
 * 192.168 comes last and 172.17 to 172.31 are left out, because Docker in the containers takes its networks from there.
 */
export function* candidates(): Generator<string> {
  yield '10.0.3';
  for (let second = 64; second < 256; second += 1) yield `10.${second}.3`;
  for (let third = 0; third < 256; third += 1) yield `172.16.${third}`;
  for (let third = 255; third >= 0; third -= 1) yield `192.168.${third}`;
}

/** Returns the first candidate that overlaps no used range, as the bridge's own address (`10.0.3.1/24`). */
export function freeSubnet(used: readonly Range[], tried: Iterable<string> = candidates()): string {
  for (const prefix of tried) {
    const range = parseRange(`${prefix}.0/24`);
    if (range !== undefined && !used.some((each) => overlap(each, range))) return `${prefix}.1/24`;
  }
  throw new Failure('settings', {
    what: 'an address range for the containers',
    why: 'every private IPv4 network that was tried overlaps an address or route of this machine',
    next: 'create a managed bridge yourself ("incus network create incusbr0 ipv4.address=…"), and start again',
  });
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
