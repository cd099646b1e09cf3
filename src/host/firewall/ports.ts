/**
 * The port of a container on the bridge: the name of its interface on the host, and its MAC address. Both are derived
 * from its fixed IPv4 address, so the firewall's rules for every container are known before the first one exists.
 */
import ipaddr from 'ipaddr.js';
import { ipv4ToNumber } from '../../domain/values/network.ts';

/** The beginning of the names of all our interfaces on the host. With 8 hexadecimal digits they fit IFNAMSIZ (15). */
export const portPrefix = 'ctn';

/** The first two bytes of all our MAC addresses: locally administered, unicast (IEEE 802, clause 8.2). */
const macPrefix = '02:c7';

export interface Port {
  /** Interface on the host. */
  readonly hostName: string;
  readonly mac: string;
}

/** Returns the port of a container with this IPv4 address. */
export function portOf(address: string): Port {
  const hex = ipv4ToNumber(ipaddr.IPv4.parse(address)).toString(16).padStart(8, '0');
  return { hostName: `${portPrefix}${hex}`, mac: `${macPrefix}:${hex.replace(/..(?!$)/g, '$&:')}` };
}

/** A bridge's network as its first and last address. */
export interface Subnet {
  readonly first: number;
  readonly last: number;
  readonly gateway: string;
}

/** Returns the network of a bridge from its own address with the prefix length: `10.0.3.1/24`. */
export function subnetOf(gateway: string): Subnet {
  const [address] = ipaddr.IPv4.parseCIDR(gateway);
  return {
    first: ipv4ToNumber(ipaddr.IPv4.networkAddressFromCIDR(gateway)),
    last: ipv4ToNumber(ipaddr.IPv4.broadcastAddressFromCIDR(gateway)),
    gateway: address.toString(),
  };
}

/** Returns the address with this number. */
export function addressOf(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join('.');
}
