/** The network interface of a container: where it is connected, and what keeps it from using another's identity. */
import { isIPv4 } from 'node:net';
import { portOf } from '../../host/firewall/ports.ts';
import type { IncusInstance } from '../../host/incus/documents.ts';

type Device = Readonly<Record<string, string>>;

/**
 * Returns the options that bind an interface to its address. The firewall knows the name on the host and the MAC
 * address before the container exists (src/host/firewall/ports.ts), so no start of a container changes a rule.
 */
function bound(address: string): Device {
  const { hostName, mac } = portOf(address);
  return {
    'ipv4.address': address,
    host_name: hostName,
    hwaddr: mac,
    'security.port_isolation': 'true',
    'security.mac_filtering': 'true',
    'security.ipv4_filtering': 'true',
  };
}

/**
 * Returns the interface of a new container, be it a user's or the one in which an image is built: that runs the code of
 * packages as root. It does not have `ipv6.address=none`, with which Incus 6.0.4 starts no
 * second container ('Error parsing IP address "[none]"', seen): the firewall drops IPv6 on a bridge without it.
 */
export function makeNic(network: string, address: string): Device {
  return { type: 'nic', name: 'eth0', network, ...bound(address) };
}

/**
 * Returns the interfaces of an instance that lack such options, each as it should be, by device name. An interface
 * without a fixed address, or one that an admin has added without a network of Incus (routed, for example, which knows
 * no such options), is not ours to bind.
 */
export function unboundNics({ devices }: Pick<IncusInstance, 'devices'>): Record<string, Record<string, string>> {
  return Object.fromEntries(
    Object.entries(devices).flatMap(([name, device]) => {
      const address = device['ipv4.address'];
      if (device['type'] !== 'nic' || device['network'] === undefined) return [];
      if (address === undefined || !isIPv4(address)) return [];
      const wanted = bound(address);
      return Object.entries(wanted).every(([key, value]) => device[key] === value)
        ? []
        : [[name, { ...device, ...wanted }]];
    }),
  );
}
