/** Validates devices as Incus 6.0 does, with the messages of a real server. */
import { isTrue } from '../../host/incus/booleans.ts';
import ipaddr from 'ipaddr.js';
import type { Devices, HostState, NetworkRecord } from '../state/state.ts';
import { parseIncusSize } from '../program/units.ts';

type Device = Readonly<Record<string, string>>;

const types = [
  'none',
  'nic',
  'disk',
  'unix-char',
  'unix-block',
  'usb',
  'gpu',
  'infiniband',
  'proxy',
  'unix-hotplug',
  'tpm',
  'pci',
];

const diskKeys = [
  'type',
  'path',
  'pool',
  'size',
  'source',
  'readonly',
  'optional',
  'recursive',
  'shift',
  'propagation',
  'required',
  'size.state',
  'boot.priority',
  'initial.uid',
  'initial.gid',
  'initial.mode',
  'limits.read',
  'limits.write',
  'limits.max',
];

const nicKeys = [
  'type',
  'network',
  'nictype',
  'parent',
  'name',
  'hwaddr',
  'mtu',
  'host_name',
  'boot.priority',
  'vlan',
  'ipv4.address',
  'ipv4.routes',
  'ipv4.routes.external',
  'ipv6.address',
  'ipv6.routes',
  'ipv6.routes.external',
  'limits.ingress',
  'limits.egress',
  'limits.max',
  'limits.priority',
  'queue.tx.length',
  'security.ipv4_filtering',
  'security.ipv6_filtering',
  'security.mac_filtering',
  'security.port_isolation',
  'security.acls',
  'security.acls.default.egress.action',
  'security.acls.default.ingress.action',
];

function unknownKey(device: Device, known: readonly string[]): string | undefined {
  const key = Object.keys(device)
    .sort()
    .find((candidate) => !known.includes(candidate));
  return key === undefined ? undefined : `Invalid device option "${key}"`;
}

function diskProblem(device: Device): string | undefined {
  if (device['path'] === '/' && (device['pool'] ?? '') === '') return 'Root disk entry must have a "pool" property set';
  const size = device['size'];
  if (size !== undefined && size !== '' && parseIncusSize(size) === undefined) {
    return `Invalid value for device option "size": Invalid value: ${size}`;
  }
  return unknownKey(device, diskKeys);
}

/** Returns the IPv4 address and prefix length of a bridge, or undefined for a network that has none. */
export function bridgeAddress(network: NetworkRecord | undefined): [ipaddr.IPv4, number] | undefined {
  const text = network?.config['ipv4.address'] ?? 'none';
  return ipaddr.IPv4.isValidCIDRFourPartDecimal(text) ? ipaddr.IPv4.parseCIDR(text) : undefined;
}

function isOnBridge(network: NetworkRecord, address: string): boolean {
  const subnet = bridgeAddress(network);
  return (
    subnet !== undefined && ipaddr.IPv4.isValidFourPartDecimal(address) && ipaddr.IPv4.parse(address).match(subnet)
  );
}

function nicProblem(state: HostState, name: string, device: Device): string | undefined {
  const networkName = device['network'];
  const network = state.networks.find((candidate) => candidate.name === networkName && candidate.managed);
  if (networkName !== undefined && network === undefined) {
    return `Failed loading device "${name}": Failed to load network "${networkName}" for project "default": Network not found`;
  }
  const address = device['ipv4.address'];
  if (network !== undefined && address !== undefined && address !== '' && address !== 'none') {
    if (!isOnBridge(network, address)) {
      return `Device IP address "${address}" not within network "${network.name}" subnet`;
    }
  }
  return unknownKey(device, nicKeys);
}

/** Returns the first error in a set of devices, or undefined. */
export function devicesProblem(state: HostState, devices: Devices): string | undefined {
  for (const [name, device] of Object.entries(devices)) {
    const type = device['type'] ?? '';
    let problem: string | undefined;
    if (type === '') problem = `Failed loading device "${name}": Missing device type in config`;
    else if (!types.includes(type)) problem = `Failed loading device "${name}": Unsupported device type`;
    else if (type === 'disk') problem = diskProblem(device);
    else if (type === 'nic') problem = nicProblem(state, name, device);
    if (problem !== undefined) return `Device validation failed for "${name}": ${problem}`;
  }
  return undefined;
}

/** Returns the quota of a disk in bytes, or undefined for no quota, which `0` means too. */
export function quotaOf(device: Device | undefined): number | undefined {
  return parseIncusSize(device?.['size'] ?? '') || undefined;
}

/** Returns the device mounted at `/`. */
export function rootDevice(devices: Devices): Device | undefined {
  return Object.values(devices).find((device) => device['type'] === 'disk' && device['path'] === '/');
}

/** Returns the error in the root disk, or undefined. */
export function rootProblem(state: HostState, devices: Devices): string | undefined {
  const pool = rootDevice(devices)?.['pool'] ?? '';
  if (pool === '') return 'Failed getting root disk: No root device could be found';
  return state.pools.some((candidate) => candidate.name === pool)
    ? undefined
    : 'Failed loading storage pool: Storage pool not found';
}

/** Returns the NICs and their names, sorted by name. */
export function nics(devices: Devices): [string, Device][] {
  return Object.entries(devices)
    .filter(([, device]) => device['type'] === 'nic')
    .sort(([left], [right]) => (left < right ? -1 : 1));
}

/**
 * Reports whether another instance has a NIC with the same address on the same network. A real server checks this when
 * a device is started or changed, but not when an instance is created.
 */
export function addressClash(state: HostState, instanceName: string, device: Device): boolean {
  const address = device['ipv4.address'];
  if (address === undefined || address === '' || address === 'none') return false;
  return Object.values(state.instances).some(
    (other) =>
      other.name !== instanceName &&
      nics(other.devices).some(([, nic]) => nic['network'] === device['network'] && nic['ipv4.address'] === address),
  );
}

/**
 * Returns the address of the first NIC at boot: the fixed one or a DHCP lease of the bridge. Null without a bridge, or
 * if its DHCP ignores a NIC for which Incus has no address.
 */
export function bootAddress(state: HostState, instanceName: string, devices: Devices, first: number): string | null {
  const device = nics(devices)[0]?.[1];
  if (device === undefined) return null;
  const fixed = device['ipv4.address'] ?? '';
  if (fixed !== '' && fixed !== 'none') return fixed;
  const network = state.networks.find((candidate) => candidate.name === device['network']);
  const [gateway = ''] = (network?.config['ipv4.address'] ?? '').split('/');
  const stem = gateway.split('.').slice(0, 3).join('.');
  if (fixed === 'none' || stem === '') return null;
  const ignoresUnknown = (network?.config['raw.dnsmasq'] ?? '').split('\n').includes('dhcp-ignore=tag:!known');
  if (ignoresUnknown && network?.config['dns.mode'] === 'none' && !isTrue(device['security.ipv4_filtering']))
    return null;
  const taken = new Set(
    Object.values(state.instances)
      .filter((other) => other.name !== instanceName)
      .flatMap((other) => [
        other.run?.address ?? '',
        ...nics(other.devices).map(([, nic]) => nic['ipv4.address'] ?? ''),
      ]),
  );
  for (let step = 0; step < 200; step += 1) {
    const candidate = `${stem}.${2 + ((first + step) % 250)}`;
    if (candidate !== gateway && !taken.has(candidate)) return candidate;
  }
  return null;
}
