import * as z from 'zod';
import type { HostInfo } from '../../domain/results/about.ts';
import type { ContainerDetails, OutOfMemory } from '../../domain/results/container.ts';
import { username } from '../declaration/schema.ts';
import { plural } from '../../domain/text.ts';
import {
  capitalised,
  percent,
  showCpu,
  showLimit,
  showSize,
  showTime,
  showUptime,
  showUse,
  showUseOfHost,
} from '../declaration/show.ts';
import { defineVerb } from '../declaration/verb.ts';
import type { Block, Drawing, ViewContext } from '../declaration/view.ts';
import { keyTable, noContainer, readEnds, userArgument } from './shared.ts';

export type InfoResult = { readonly container: ContainerDetails } | { readonly hostInfo: HostInfo };

export const info = defineVerb({
  name: 'info',
  aliases: ['show'],
  summary: 'Show the state and resource usage of a container, or of the host',
  examples: [
    { line: 'info alice', says: 'everything about one container' },
    { line: 'info', says: 'the host: versions, capacity and storage pool' },
  ],
  access: { manage: 'viewer', self: true },
  changes: false,
  danger: 'none',
  onSelfCard: true,
  target: 'user',
  parameters: [
    {
      ...userArgument,
      required: false,
      summary: 'user who owns the container (default: the host; at self@: you)',
    },
  ],
  input: () => z.strictObject({ user: username.optional() }),
  ends: { ...readEnds, notFound: noContainer },
  view: (result: InfoResult, context) =>
    'container' in result ? containerView(result.container, context) : hostView(result.hostInfo),
});

function share(part: number | null, whole: number | null): Drawing {
  return part === null || whole === null || whole <= 0 ? {} : { ratio: Math.min(1, Math.max(0, part / whole)) };
}

const outOfMemoryEffect = {
  killed: 'the kernel killed a process, the container runs on',
  stopped: 'the kernel killed init, with which the container stopped',
  restarted: 'the kernel killed init, and Incus started the container again',
} as const satisfies Record<OutOfMemory['effect'], string>;

function containerView(c: ContainerDetails, context: ViewContext): Block[] {
  return [
    {
      kind: 'fields',
      fields: [
        ['Container', c.name],
        ['Status', c.provisioning === 'ready' ? capitalised(c.status) : `${capitalised(c.status)}, ${c.provisioning}`],
        ...(c.outOfMemory === null
          ? []
          : ([
              ['Out of memory', `${outOfMemoryEffect[c.outOfMemory.effect]}, ${showTime(c.outOfMemory.at, context)}`],
            ] as const)),
        ['User', c.user],
        ['IP Address', c.address ?? '-'],
        [
          'Disk Quota',
          c.diskQuotaBytes === null ? `none (${c.storage.driver} has no quotas)` : showLimit(c.diskQuotaBytes),
        ],
        [
          'Disk Used',
          c.diskUsedBytes === null
            ? '-'
            : `${showSize(c.diskUsedBytes)}${c.diskQuotaBytes === null ? '' : ` (${percent(c.diskUsedBytes, c.diskQuotaBytes)})`}`,
          share(c.diskUsedBytes, c.diskQuotaBytes),
        ],
        [
          'Memory',
          showUse(c.memoryUsedBytes, c.memoryLimitBytes),
          { ...share(c.memoryUsedBytes, c.memoryLimitBytes), series: c.recent.memoryBytes },
        ],
        [
          'CPU Usage',
          c.cpuPercent === null
            ? '-'
            : `${showCpu(c.cpuPercent)} of ${c.cpus === null ? 'all CPUs' : plural(c.cpus, 'CPU')}`,
          { ...share(c.cpuPercent, c.cpus === null ? null : c.cpus * 100), series: c.recent.cpuPercent },
        ],
        ['Processes', processes(c), share(c.processes, c.processLimit)],
        ...(c.restartFor.length === 0
          ? []
          : [['Restart needed', `${c.restartFor.join('; ')}: "restart ${c.user}"`] as const]),
        ['Uptime', c.status === 'running' ? showUptime(c.startedAt, context) : '-'],
        ['Last login', showTime(c.lastLoginAt, context)],
        ['Last seen', c.lastSeen === null ? '-' : `${showTime(c.lastSeen.at, context)}, from ${c.lastSeen.address}`],
        ['Auto-start', c.autostart ? 'Enabled' : 'Disabled'],
        ['Docker', c.docker ? 'Yes' : 'No'],
        ...(c.protected ? [['Protected', 'from being deleted'] as const] : []),
        ...(c.expiresAt === null ? [] : [['Moves to the trash', showTime(c.expiresAt, context)] as const]),
        ['Image', c.image],
        ['Storage', `${c.storage.pool} (${c.storage.driver})`],
        [
          'Snapshots',
          c.lastSnapshotAt === null ? '0' : `${c.snapshots}, the newest ${showTime(c.lastSnapshotAt, context)}`,
        ],
        ...(c.lastBackupAt === null ? [] : [['Last backup', showTime(c.lastBackupAt, context)] as const]),
        [
          'Labels',
          Object.entries(c.labels)
            .map(([key, value]) => `${key}=${value}`)
            .join(' ') || '-',
        ],
        ['Created', `${showTime(c.createdAt, context)} by ${c.createdBy === '' ? '-' : c.createdBy}`],
        [
          'Jump account',
          c.jumpAccount.exists ? `${c.user}, shell ${c.jumpAccount.shell ?? '-'}` : 'missing (run "reconcile")',
        ],
        ['Host key', c.hostKeyFingerprint ?? '-'],
      ],
    },
    keyTable(c.keyList, context, 'No keys: nobody can log in'),
  ];
}

/** Returns `20 of at most 2000`. */
function processes({ processes: running, processLimit }: ContainerDetails): string {
  if (processLimit === null) return running === null ? '-' : String(running);
  return `${running ?? '-'} of at most ${processLimit}`;
}

function hostView(host: HostInfo): Block[] {
  return [
    {
      kind: 'fields',
      title: host.kind === 'simulated' ? 'Simulated host' : 'Host',
      fields: [
        ['Incus', host.incusVersion],
        ['Kernel', host.kernel],
        ['Containers', `${host.containers.total} (${host.containers.running} running)`],
        ['CPUs', String(host.cpus)],
        ['Memory', showUseOfHost(host.memoryTotalBytes - host.memoryFreeBytes, host.memoryTotalBytes)],
        [
          'Storage pool',
          `${host.pool.name} (${host.pool.driver}), ${showUseOfHost(host.pool.usedBytes, host.pool.totalBytes)}`,
        ],
        ['Network', `${host.network.name} ${host.network.address}`],
        [
          'Prepared image',
          host.image.ready
            ? `${host.image.alias}, from ${host.image.base}`
            : `not built yet; the first create builds it from ${host.image.base}`,
        ],
      ],
    },
  ];
}
