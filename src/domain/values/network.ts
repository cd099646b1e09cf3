/** IP addresses and networks (CIDR), for limits and bans. */
import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Failure } from '../failure.ts';
import { quoted } from '../text.ts';

export interface Network {
  /** As shown and stored: an address, or an address and a prefix length; IPv6 in the form of RFC 5952. */
  readonly text: string;
  readonly family: 4 | 6;
  /** Prefix length. */
  readonly bits: number;
  readonly bytes: readonly number[];
}

/**
 * Prefix length of one source, as in sshd_config(5), PerSourceNetBlockSize. The owner of one IPv6 address usually has
 * its whole /64.
 */
const sourceBits = { 4: 32, 6: 64 } as const;
const maxBits = { 4: 32, 6: 128 } as const;

/** Parses an address; undefined for other text. IPv4-mapped IPv6 becomes IPv4, and a zone index is dropped. */
function parseAddress(text: string): { family: 4 | 6; bytes: number[] } | undefined {
  const plain = text.replace(/%.*$/, '');
  // ipaddr.js would also accept 127.1 and 0x7f000001.
  if (!isIPv4(plain) && !isIPv6(plain)) return undefined;
  const address = ipaddr.process(plain);
  return { family: address.kind() === 'ipv4' ? 4 : 6, bytes: address.toByteArray() };
}

function network(family: 4 | 6, bytes: readonly number[], bits: number): Network {
  const kept = bytes.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, bits - 8 * i))) & 0xff);
  const text = family === 4 ? kept.join('.') : new ipaddr.IPv6(kept).toRFC5952String();
  return { text: bits === maxBits[family] ? text : `${text}/${bits}`, family, bits, bytes: kept };
}

/** Parses an address or a network, clearing the bits after the prefix. Throws `usage`. */
export function parseNetwork(text: string): Network {
  const [, first = '', length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text.trim()) ?? [];
  const address = parseAddress(first);
  const written = isIPv6(first) ? 6 : 4;
  const bits = length === undefined ? maxBits[written] : Number(length);
  if (address === undefined || bits > maxBits[written]) {
    throw new Failure('usage', {
      what: `address ${quoted(text)}`,
      why: 'neither an address nor a network',
      next: 'use an address or a network, for example 192.0.2.7, 192.0.2.0/24 or 2001:db8::/64',
    });
  }
  const mapped = written === 6 && address.family === 4;
  // A mapped network wider than all of IPv4 (/96) is an IPv6 network.
  if (mapped && bits < 96) return network(6, ipaddr.parse(first).toByteArray(), bits);
  return network(address.family, address.bytes, mapped ? bits - 96 : bits);
}

/** Returns the source of an address: itself for IPv4, its /64 for IPv6. Undefined for other text. */
export function sourceOf(text: string): Network | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : network(address.family, address.bytes, sourceBits[address.family]);
}

/** Reports whether a network has the size of one source. */
export function isSource({ family, bits }: Network): boolean {
  return bits === sourceBits[family];
}

export function contains(outer: Network, inner: Network): boolean {
  return (
    outer.family === inner.family &&
    outer.bits <= inner.bits &&
    network(inner.family, inner.bytes, outer.bits).text === outer.text
  );
}

/** Returns an IPv4 address as an unsigned 32-bit number. */
export function ipv4ToNumber(address: ipaddr.IPv4): number {
  return Buffer.from(address.toByteArray()).readUInt32BE();
}

/** A map from networks to values. A lookup costs one step per distinct prefix length, not per network. */
export class NetworkMap<T> {
  readonly #byLength = new Map<string, Map<string, T>>();

  set(key: Network, value: T): void {
    const length = `${key.family}/${key.bits}`;
    const sameLength = this.#byLength.get(length) ?? new Map<string, T>();
    sameLength.set(key.text, value);
    this.#byLength.set(length, sameLength);
  }

  /** Yields the value of each network that contains the address, widest network first. */
  *find(address: string): Generator<T> {
    const parsed = parseAddress(address);
    if (parsed === undefined) return;
    const lengths = [...this.#byLength.keys()]
      .map((length) => length.split('/').map(Number) as [number, number])
      .sort((a, b) => a[1] - b[1]);
    for (const [family, bits] of lengths) {
      if (family !== parsed.family) continue;
      const found = this.#byLength.get(`${family}/${bits}`)?.get(network(parsed.family, parsed.bytes, bits).text);
      if (found !== undefined) yield found;
    }
  }
}

/** Reports whether `text` is an address of the loopback interface: 127.0.0.0/8 or ::1, also as IPv4-mapped IPv6. */
export function isLoopback(text: string): boolean {
  const address = parseAddress(text);
  return address !== undefined && ipaddr.fromByteArray(address.bytes).range() === 'loopback';
}
