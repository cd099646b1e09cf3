/** IP addresses and networks (CIDR), as limits and bans group them. */
import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Failure } from '../failure.ts';
import { quoted } from '../text.ts';

export interface Network {
  /** As it is shown and stored: an address alone, or with the length of its prefix; IPv6 as RFC 5952 writes it. */
  readonly text: string;
  readonly family: 4 | 6;
  /** Length of the prefix. */
  readonly bits: number;
  readonly bytes: readonly number[];
}

/**
 * The bits of an address that are one source, as sshd_config(5), PerSourceNetBlockSize has it: whoever has one IPv6
 * address has its whole /64.
 */
const sourceBits = { 4: 32, 6: 64 } as const;
const maxBits = { 4: 32, 6: 128 } as const;

/** An address (IPv4 in IPv6 as IPv4, without an interface); undefined for what is none. */
function parseAddress(text: string): { family: 4 | 6; bytes: number[] } | undefined {
  const plain = text.replace(/%.*$/, '');
  // ipaddr.js alone also takes 127.1 and 0x7f000001.
  if (!isIPv4(plain) && !isIPv6(plain)) return undefined;
  const address = ipaddr.process(plain);
  return { family: address.kind() === 'ipv4' ? 4 : 6, bytes: address.toByteArray() };
}

function network(family: 4 | 6, bytes: readonly number[], bits: number): Network {
  const kept = bytes.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, bits - 8 * i))) & 0xff);
  const text = family === 4 ? kept.join('.') : new ipaddr.IPv6(kept).toRFC5952String();
  return { text: bits === maxBits[family] ? text : `${text}/${bits}`, family, bits, bytes: kept };
}

/** Reads an address or a network; bits behind the prefix are dropped. Throws `usage`. */
export function parseNetwork(text: string): Network {
  const [, first = '', length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text.trim()) ?? [];
  const address = parseAddress(first);
  const written = isIPv6(first) ? 6 : 4;
  const bits = length === undefined ? maxBits[written] : Number(length);
  if (address === undefined || bits > maxBits[written]) {
    throw new Failure('usage', {
      what: `address ${quoted(text)}`,
      why: 'it is neither an address nor a network',
      next: 'write 192.0.2.7, 192.0.2.0/24 or 2001:db8::/64',
    });
  }
  const mapped = written === 6 && address.family === 4;
  // A network that is wider than all of IPv4 written as IPv6 is one of IPv6.
  if (mapped && bits < 96) return network(6, ipaddr.parse(first).toByteArray(), bits);
  return network(address.family, address.bytes, mapped ? bits - 96 : bits);
}

/** The source that an address belongs to: itself, or its /64. Undefined for what is no address. */
export function sourceOf(text: string): Network | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : network(address.family, address.bytes, sourceBits[address.family]);
}

/** Whether a network has the size of one source. */
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

/** Values by network; finding costs the number of different prefix lengths, not that of networks. */
export class NetworkMap<T> {
  readonly #byLength = new Map<string, Map<string, T>>();

  set(key: Network, value: T): void {
    const length = `${key.family}/${key.bits}`;
    const sameLength = this.#byLength.get(length) ?? new Map<string, T>();
    sameLength.set(key.text, value);
    this.#byLength.set(length, sameLength);
  }

  /** What is known of an address: of each network that contains it, the widest first. */
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
