/** The networks that this machine is connected to. */
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';
import ipaddr from 'ipaddr.js';
import { contains, parseNetwork } from '../../domain/values/network.ts';

type Interfaces = Readonly<Record<string, readonly Pick<NetworkInterfaceInfo, 'cidr' | 'internal'>[] | undefined>>;

/** Ranges of ipaddr.js that are not the world's: RFC 1918, RFC 6598 and RFC 4193. */
const privateRanges = new Set(['private', 'carrierGradeNat', 'uniqueLocal']);

/**
 * Returns the private networks of this machine's interfaces, sorted. Leaves out the bridge itself, and networks that
 * contain its network: a container could then reach nothing.
 */
export function privateNetworks(
  bridge: { readonly name: string; readonly gateway: string },
  interfaces: Interfaces = networkInterfaces(),
): string[] {
  const own = parseNetwork(bridge.gateway);
  const found = Object.entries(interfaces).flatMap(([name, addresses = []]) =>
    name === bridge.name
      ? []
      : addresses.flatMap(({ cidr, internal }) => (internal || cidr === null ? [] : [parseNetwork(cidr)])),
  );
  const denied = found.filter(
    (network) => privateRanges.has(ipaddr.fromByteArray([...network.bytes]).range()) && !contains(network, own),
  );
  return [...new Set(denied.map(({ text }) => text))].sort();
}
