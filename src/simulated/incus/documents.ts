/** The REST documents of Incus 6.0, with every field that a real server sends (REST API description). */
import { linkLocalOf, macOf } from '../state/deterministic.ts';
import { bridgeAddress, nics } from './devices.ts';
import type {
  HostState,
  ImageRecord,
  InstanceRecord,
  NetworkRecord,
  SnapshotRecord,
  PoolRecord,
  UnderwayRecord,
} from '../state/state.ts';
import * as usage from './usage.ts';

/** Go's zero time, which Incus sends for an instance that is not running. */
const zeroTime = '0001-01-01T00:00:00Z';

function time(ms: number): string {
  return new Date(ms).toISOString();
}

/**
 * Returns the status: a paused guest is Frozen, and one that has said so over /dev/incus is Ready until it stops (incus
 * 6.0, driver_lxc.go).
 */
function statusOf({ run, config }: InstanceRecord): { status: string; status_code: number } {
  if (run === null) return { status: 'Stopped', status_code: 102 };
  if (run.isPaused === true) return { status: 'Frozen', status_code: 110 };
  return config['volatile.last_state.ready'] === 'true'
    ? { status: 'Ready', status_code: 113 }
    : { status: 'Running', status_code: 103 };
}

function counters(bytes: number): Record<string, number> {
  return {
    bytes_received: bytes,
    bytes_sent: Math.floor(bytes / 3),
    errors_received: 0,
    errors_sent: 0,
    packets_dropped_inbound: 0,
    packets_dropped_outbound: 0,
    packets_received: Math.floor(bytes / 700),
    packets_sent: Math.floor(bytes / 2100),
  };
}

function networkState(state: HostState, instance: InstanceRecord, nowMs: number): Record<string, unknown> | null {
  const { run } = instance;
  if (run === null) return null;
  const traffic = Math.floor(usage.upMs(instance, nowMs) / 10);
  const cards = nics(instance.devices).map(([device, nic], index): [string, unknown] => {
    const hwaddr = instance.config[`volatile.${device}.hwaddr`] ?? macOf(`${instance.name} ${device}`);
    const network = state.networks.find((candidate) => candidate.name === nic['network']);
    const netmask = String(bridgeAddress(network)?.[1] ?? 24);
    const fixed =
      index === 0 && run.address !== null ? [{ address: run.address, family: 'inet', netmask, scope: 'global' }] : [];
    return [
      nic['name'] ?? device,
      {
        addresses: [...fixed, { address: linkLocalOf(hwaddr), family: 'inet6', netmask: '64', scope: 'link' }],
        counters: counters(traffic),
        host_name: instance.config[`volatile.${device}.host_name`] ?? '',
        hwaddr,
        mtu: 1500,
        state: 'up',
        type: 'broadcast',
      },
    ];
  });
  const loopback = {
    addresses: [
      { address: '127.0.0.1', family: 'inet', netmask: '8', scope: 'local' },
      { address: '::1', family: 'inet6', netmask: '128', scope: 'local' },
    ],
    counters: counters(0),
    host_name: '',
    hwaddr: '',
    mtu: 65536,
    state: 'up',
    type: 'loopback',
  };
  return { ...Object.fromEntries(cards), lo: loopback };
}

/** Returns `/1.0/instances/NAME/state`. */
export function instanceStateDocument(
  state: HostState,
  instance: InstanceRecord,
  nowMs: number,
): Record<string, unknown> {
  const { run } = instance;
  const running = run !== null;
  const memory = usage.memoryChargedBytes(instance, nowMs);
  return {
    cpu: {
      allocated_time: running ? usage.cpusOf(instance) * 1_000_000_000 : 0,
      usage: usage.cpuUsageNs(instance, nowMs),
    },
    disk: { root: { total: usage.diskTotalBytes(state, instance), usage: usage.diskUsageBytes(instance, nowMs) } },
    memory: {
      swap_usage: 0,
      swap_usage_peak: 0,
      total: running ? usage.memoryTotalBytes(instance) : 0,
      usage: memory,
      usage_peak: Math.floor(memory * 1.2),
    },
    network: networkState(state, instance, nowMs),
    os_info: null,
    pid: run?.pid ?? 0,
    processes: running ? (instance.prepared ? 22 : 12) : 0,
    started_at: run === null ? zeroTime : time(run.startedAtMs),
    ...statusOf(instance),
  };
}

/** Returns `/1.0/instances/NAME`, which is also an element of the list with `recursion=1`. */
export function instanceDocument(instance: InstanceRecord): Record<string, unknown> {
  return {
    architecture: 'x86_64',
    config: instance.config,
    created_at: time(instance.createdAtMs),
    description: '',
    devices: instance.devices,
    ephemeral: false,
    expanded_config: instance.config,
    expanded_devices: instance.devices,
    last_used_at: time(instance.lastUsedAtMs ?? 0),
    location: 'none',
    name: instance.name,
    profiles: [],
    project: 'default',
    stateful: false,
    ...statusOf(instance),
    type: 'container',
  };
}

/** Returns an element of `/1.0/instances/NAME/backups?recursion=1`. */
export function backupDocument({ name, createdAtMs, expiresAtMs }: SnapshotRecord): Record<string, unknown> {
  return {
    created_at: time(createdAtMs),
    expires_at: expiresAtMs === 0 ? zeroTime : time(expiresAtMs),
    instance_only: true,
    name,
    optimized_storage: false,
  };
}

/** Returns an element of `/1.0/instances/NAME/snapshots?recursion=1`. */
export function snapshotDocument(
  instance: InstanceRecord,
  { name, createdAtMs, expiresAtMs, config, devices }: SnapshotRecord,
): Record<string, unknown> {
  return {
    architecture: 'x86_64',
    config,
    created_at: time(createdAtMs),
    devices,
    ephemeral: false,
    expanded_config: config,
    expanded_devices: devices,
    expires_at: expiresAtMs === 0 ? zeroTime : time(expiresAtMs),
    last_used_at: zeroTime,
    name,
    profiles: [],
    size: usage.snapshotBytes(instance, name),
    stateful: false,
  };
}

/** Returns an element of the list of instances with `recursion=2`. */
export function fullInstanceDocument(
  state: HostState,
  instance: InstanceRecord,
  nowMs: number,
): Record<string, unknown> {
  return {
    ...instanceDocument(instance),
    backups: null,
    snapshots:
      instance.snapshots.length === 0 ? null : instance.snapshots.map((one) => snapshotDocument(instance, one)),
    state: instanceStateDocument(state, instance, nowMs),
  };
}

export function imageDocument(image: ImageRecord): Record<string, unknown> {
  return {
    aliases: image.aliases.map((name) => ({ description: '', name })),
    architecture: 'x86_64',
    auto_update: image.cached,
    cached: image.cached,
    created_at: time(image.createdAtMs),
    expires_at: zeroTime,
    filename: '',
    fingerprint: image.fingerprint,
    last_used_at: image.lastUsedAtMs === null ? zeroTime : time(image.lastUsedAtMs),
    profiles: ['default'],
    project: 'default',
    properties: image.properties,
    public: false,
    size: image.sizeBytes,
    type: 'container',
    uploaded_at: time(image.uploadedAtMs),
  };
}

function instancePaths(state: HostState, uses: (instance: InstanceRecord) => boolean): string[] {
  return Object.values(state.instances)
    .filter(uses)
    .map((instance) => `/1.0/instances/${instance.name}`);
}

export function networkDocument(state: HostState, network: NetworkRecord): Record<string, unknown> {
  return {
    config: network.config,
    description: '',
    locations: network.managed ? ['none'] : null,
    managed: network.managed,
    name: network.name,
    project: 'default',
    status: network.managed ? 'Created' : '',
    type: network.type,
    used_by: instancePaths(state, (instance) =>
      nics(instance.devices).some(([, nic]) => nic['network'] === network.name),
    ),
  };
}

/** Returns `/1.0/networks/NAME/leases`: the bridge, all fixed addresses, and the DHCP leases of running instances. */
export function leasesDocument(state: HostState, network: NetworkRecord): unknown[] {
  const [gateway = ''] = (network.config['ipv4.address'] ?? '').split('/');
  const bridge = { address: gateway, hostname: `${network.name}.gw`, hwaddr: '', location: '', type: 'gateway' };
  const leases = Object.values(state.instances).flatMap((instance) =>
    nics(instance.devices)
      .filter(([, nic]) => nic['network'] === network.name)
      .flatMap(([device, nic], index) => {
        const fixed = nic['ipv4.address'];
        const address = fixed ?? (index === 0 ? instance.run?.address : undefined) ?? 'none';
        if (address === 'none' || address === '') return [];
        const hwaddr = instance.config[`volatile.${device}.hwaddr`] ?? macOf(`${instance.name} ${device}`);
        return [
          {
            address,
            hostname: instance.name,
            hwaddr,
            location: 'none',
            type: fixed === undefined ? 'dynamic' : 'static',
          },
        ];
      }),
  );
  return [bridge, ...leases];
}

export function poolDocument(state: HostState, pool: PoolRecord): Record<string, unknown> {
  const images = state.images.map((image) => `/1.0/images/${image.fingerprint}`);
  const instances = instancePaths(state, (instance) =>
    Object.values(instance.devices).some((device) => device['pool'] === pool.name),
  );
  return {
    config: pool.config,
    description: '',
    driver: pool.driver,
    locations: ['none'],
    name: pool.name,
    status: 'Created',
    used_by: [...images, ...instances],
  };
}

export function poolResourcesDocument(state: HostState, pool: PoolRecord, nowMs: number): Record<string, unknown> {
  return {
    inodes: { total: 0, used: 0 },
    space: { total: pool.totalBytes, used: usage.poolUsedBytes(state, pool.name, nowMs) },
  };
}

export function operationDocument({ id, description, instance }: UnderwayRecord): Record<string, unknown> {
  return {
    class: 'task',
    description,
    err: '',
    id,
    location: 'none',
    may_cancel: false,
    resources: instance === undefined ? null : { instances: [`/1.0/instances/${instance}`] },
    status: 'Running',
    status_code: 103,
  };
}

/** Returns `/1.0`, which identifies the server as simulated. */
export function serverDocument(state: HostState): Record<string, unknown> {
  return {
    api_extensions: state.apiExtensions ?? ['instance_auto_restart'],
    api_status: 'stable',
    api_version: '1.0',
    auth: 'trusted',
    auth_methods: ['tls'],
    auth_user_method: 'unix',
    auth_user_name: 'root',
    config: {},
    environment: {
      addresses: [],
      architectures: ['x86_64', 'i686'],
      driver: 'simulated',
      driver_version: '1',
      firewall: 'nftables',
      kernel: 'Linux',
      kernel_architecture: 'x86_64',
      kernel_version: '6.1.0-simulated',
      os_name: 'Debian GNU/Linux',
      os_version: '12',
      project: 'default',
      server: 'incus',
      server_clustered: false,
      server_event_mode: 'full-mesh',
      server_name: 'simulated',
      server_pid: 1000,
      server_version: '6.0.4',
      storage: state.pools[0]?.driver ?? '',
      storage_version: '6.2',
    },
    public: false,
  };
}
