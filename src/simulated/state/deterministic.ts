/**
 * Numbers, identifiers and addresses derived from names. The simulation uses no randomness, so that runs can be
 * repeated.
 */
import { createHash } from 'node:crypto';

/** Returns 64 hexadecimal digits. */
export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Returns an integer from 0 to `below` - 1. */
export function pick(text: string, below: number): number {
  return Number.parseInt(digest(text).slice(0, 8), 16) % below;
}

/** Returns a number of 64 bits, in decimal digits, as ZFS names snapshots. */
export function guidOf(text: string): string {
  return String(BigInt(`0x${digest(`${text} guid`).slice(0, 16)}`) | 1n);
}

export function uuidOf(text: string): string {
  const hex = digest(text);
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

/** Returns a MAC address with the prefix that Incus uses. */
export function macOf(text: string): string {
  const hex = digest(text);
  return ['10', '66', '6a', hex.slice(0, 2), hex.slice(2, 4), hex.slice(4, 6)].join(':');
}

/** Returns the link-local IPv6 address that an interface derives from its MAC address (RFC 4291, appendix A). */
export function linkLocalOf(mac: string): string {
  const bytes = mac.split(':').map((part) => Number.parseInt(part, 16));
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = bytes;
  const word = (high: number, low: number): string => ((high << 8) | low).toString(16);
  return `fe80::${word(a ^ 2, b)}:${word(c, 0xff)}:${word(0xfe, d)}:${word(e, f)}`;
}
