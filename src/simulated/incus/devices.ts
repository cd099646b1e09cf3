/** Which devices Incus 6.0 accepts, and what it says about the rest. Texts are those of a real server. */
import { inSubnet, parseSubnet } from '../state/ipv4.ts';
import type { Devices, HostState } from '../state/state.ts';
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

function nicProblem(state: HostState, name: string, device: Device): string | undefined {
  const networkName = device['network'];
  const network = state.networks.find((candidate) => candidate.name === networkName && candidate.managed);
  if (networkName !== undefined && network === undefined) {
    return `Failed loading device "${name}": Failed to load network "${networkName}" for project "default": Network not found`;
  }
  const address = device['ipv4.address'];
  if (network !== undefined && address !== undefined && address !== '' && address !== 'none') {
    const subnet = parseSubnet(network.config['ipv4.address'] ?? 'none');
    if (subnet === undefined || !inSubnet(subnet, address)) {
      return `Device IP address "${address}" not within network "${network.name}" subnet`;
    }
  }
  return unknownKey(device, nicKeys);
}

/** The first thing wrong with a set of devices, or `undefined`. */
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

/** The quota of a disk in bytes; `undefined` for none, which `0` means too. */
export function quotaOf(device: Device | undefined): number | undefined {
  return parseIncusSize(device?.['size'] ?? '') || undefined;
}

/** The device mounted at `/`. */
export function rootDevice(devices: Devices): Device | undefined {
  return Object.values(devices).find((device) => device['type'] === 'disk' && device['path'] === '/');
}

/** What is wrong with the root disk, or `undefined`. */
export function rootProblem(state: HostState, devices: Devices): string | undefined {
  const pool = rootDevice(devices)?.['pool'] ?? '';
  if (pool === '') return 'Failed getting root disk: No root device could be found';
  return state.pools.some((candidate) => candidate.name === pool)
    ? undefined
    : 'Failed loading storage pool: Storage pool not found';
}

/** The network devices with their names, in a fixed order. */
export function nics(devices: Devices): [string, Device][] {
  return Object.entries(devices)
    .filter(([, device]) => device['type'] === 'nic')
    .sort(([left], [right]) => (left < right ? -1 : 1));
}

/**
 * Another instance's NIC on the same network that has this device's address. A real server looks at this when a device
 * is started or changed, but not when an instance is created.
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
 * The address an instance's first NIC comes up with: its fixed one, or a lease of the bridge's DHCP server; null
 * without a bridge.
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
