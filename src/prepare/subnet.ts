/**
 * Finds an IPv4 /24 for a bridge that overlaps nothing the machine already has or reaches: a bridge on a network that
 * is also routed elsewhere makes that other network unreachable.
 */
import { Failure } from '../domain/failure.ts';
import { run } from './programs.ts';

/** An IPv4 network as first and last address, both as unsigned 32-bit numbers. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

export function parseIpv4(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** `10.0.3.0/24`, or a single address; `undefined` for anything else. */
export function parseRange(text: string): Range | undefined {
  const [address = '', length = '32', ...rest] = text.split('/');
  const value = parseIpv4(address);
  if (value === undefined || rest.length > 0 || !/^\d{1,2}$/.test(length) || Number(length) > 32) return undefined;
  const size = 2 ** (32 - Number(length));
  const first = Math.floor(value / size) * size;
  return { first, last: first + size - 1 };
}

export function overlap(a: Range, b: Range): boolean {
  return a.first <= b.last && b.first <= a.last;
}

/**
 * The /24 networks to try, by their three first bytes. 10.0.3 first, because existing setups have it; 172.17 to 172.31
 * and 192.168 last, because Docker in the containers takes its own networks from there.
 */
export function* candidates(): Generator<string> {
  yield '10.0.3';
  for (let second = 64; second < 256; second += 1) yield `10.${second}.3`;
  for (let third = 0; third < 256; third += 1) yield `172.16.${third}`;
  for (let third = 255; third >= 0; third -= 1) yield `192.168.${third}`;
}

/** The first candidate that overlaps no used range, as the bridge's own address with its length (`10.0.3.1/24`). */
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

/** All IPv4 ranges that the machine has an address in or a route to, except the default route. */
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
  // iproute2 prints nothing at all for an empty list.
  if (text.trim() === '') return [];
  const value: unknown = JSON.parse(text);
  if (Array.isArray(value)) return value.filter((each) => typeof each === 'object' && each !== null);
  throw new Failure('unexpected-output', { what: `"${program}"`, why: 'its answer is not a list' });
}
