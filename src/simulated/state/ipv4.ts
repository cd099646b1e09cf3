/** Just enough of IPv4 to say whether an address lies in a bridge's subnet. */
import { isIPv4 } from 'node:net';

export interface Subnet {
  readonly base: number;
  readonly prefix: number;
  /** The bridge's own address. */
  readonly gateway: string;
}

export function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function toAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

/** `10.0.3.1/24`; `undefined` for anything else, for example `none`. */
export function parseSubnet(text: string): Subnet | undefined {
  const [gateway = '', prefixText = ''] = text.split('/');
  if (!isIPv4(gateway) || !/^\d{1,2}$/.test(prefixText) || Number(prefixText) > 32) return undefined;
  const prefix = Number(prefixText);
  const size = 2 ** (32 - prefix);
  return { base: Math.floor(toNumber(gateway) / size) * size, prefix, gateway };
}

export function inSubnet(subnet: Subnet, address: string): boolean {
  if (!isIPv4(address)) return false;
  const size = 2 ** (32 - subnet.prefix);
  return Math.floor(toNumber(address) / size) * size === subnet.base;
}
