/** Results as messages of the typed service (proto/containarium/v1/container.proto). */
import { showLimit } from '../../catalogue/declaration/show.ts';
import type { HostInfo } from '../../domain/results/about.ts';
import type { Container, ContainerDetails } from '../../domain/results/container.ts';

/** A container, with details if they were asked for. */
type Shown = Container & Partial<ContainerDetails>;

export function containerMessage(container: Shown) {
  const { name, user, cpus, memoryLimitBytes, diskQuotaBytes, network } = container;
  return {
    name,
    username: user,
    state: stateOf(container),
    resources: {
      cpu: cpus === null ? '' : String(cpus),
      memory: memoryLimitBytes === null ? '' : sizeText(memoryLimitBytes),
      disk: diskQuotaBytes === null ? '' : sizeText(diskQuotaBytes),
    },
    ssh_keys: container.keyList?.map(({ publicKey }) => publicKey) ?? container.keys,
    network: {
      ip_address: container.address ?? '',
      mac_address: network?.macAddress ?? '',
      interface: network?.name ?? 'eth0',
      bridge: network?.bridge ?? '',
    },
    created_at: seconds(container.createdAt),
    updated_at: seconds(container.startedAt ?? container.createdAt),
    labels: container.labels,
    image: container.image,
    docker_enabled: container.docker,
  };
}

function stateOf({ status, provisioning }: Container): string {
  if (provisioning === 'creating') return 'CONTAINER_STATE_CREATING';
  switch (status) {
    case 'running':
    case 'stopped':
    case 'frozen':
    case 'error':
      return `CONTAINER_STATE_${status.toUpperCase()}`;
    case 'starting':
      return 'CONTAINER_STATE_RUNNING';
    case 'stopping':
      return 'CONTAINER_STATE_STOPPED';
    case 'unknown':
      return 'CONTAINER_STATE_UNSPECIFIED';
  }
}

/** Returns a size as the command line reads it: `4GiB`. */
function sizeText(bytes: number): string {
  return showLimit(bytes).replaceAll(' ', '');
}

/** Returns a time in seconds since 1970; 0 if it is not known. */
function seconds(time: string): number {
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? 0 : Math.floor(ms / 1000);
}

export function metricsMessage(container: Shown) {
  const { name, memoryUsedBytes, memoryLimitBytes, diskUsedBytes, diskQuotaBytes, processes, network } = container;
  return {
    name,
    cpu_usage_percent: container.cpuPercent ?? 0,
    memory_usage_bytes: memoryUsedBytes ?? 0,
    memory_limit_bytes: memoryLimitBytes ?? 0,
    disk_usage_bytes: diskUsedBytes ?? 0,
    disk_limit_bytes: diskQuotaBytes ?? 0,
    network_rx_bytes: network?.receivedBytes ?? 0,
    network_tx_bytes: network?.sentBytes ?? 0,
    process_count: processes ?? 0,
  };
}

export function hostMessage(host: HostInfo) {
  const { containers, pool } = host;
  return {
    incus_version: host.incusVersion,
    os: host.os,
    kernel_version: host.kernel,
    total_cpus: host.cpus,
    total_memory_bytes: host.memoryTotalBytes,
    available_memory_bytes: host.memoryFreeBytes,
    total_disk_bytes: pool.totalBytes,
    available_disk_bytes: pool.totalBytes - pool.usedBytes,
    containers_running: containers.running,
    containers_stopped: containers.total - containers.running,
    containers_total: containers.total,
    hostname: host.hostname,
    uptime_seconds: host.uptimeSeconds,
  };
}
