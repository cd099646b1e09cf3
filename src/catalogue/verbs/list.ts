import * as z from 'zod';
import type { Container, ContainerList } from '../../domain/results/container.ts';
import { Failure } from '../../domain/failure.ts';
import { lazily } from '../../domain/lazily.ts';
import { labelSelector, parsedBy, username } from '../declaration/schema.ts';
import { capitalised, showLimit, showTime, showUptime, showUse, yesNo } from '../declaration/show.ts';
import { defineVerb } from '../declaration/verb.ts';
import { listSummary } from './listSummary.ts';
import { readEnds } from './shared.ts';
import type { Column, ViewContext } from '../declaration/view.ts';

interface ListColumn extends Column {
  readonly cell: (container: Container, context: ViewContext) => string;
  /** The sort key. Text sorts naturally: `user9` before `user10`. */
  readonly value: (container: Container) => string | number;
}

/** The columns of `list`, by their names in --columns and --sort. */
export const listColumns = {
  user: { title: 'USER', priority: 1, cell: (c) => c.user, value: (c) => c.user },
  name: { title: 'CONTAINER', priority: 6, cell: (c) => c.name, value: (c) => c.name },
  status: {
    title: 'STATUS',
    priority: 2,
    cell: (c) =>
      c.provisioning === 'ready'
        ? `${capitalised(c.status)}${c.outOfMemory === null ? '' : ' (OOM)'}`
        : capitalised(c.provisioning),
    value: (c) => c.status,
  },
  ip: {
    title: 'IP',
    priority: 3,
    cell: (c) => (c.status === 'running' ? (c.address ?? '-') : '-'),
    value: (c) => addressNumber(c.address),
  },
  // The use of the disk names its quota too.
  quota: { title: 'QUOTA', priority: 9, cell: (c) => showLimit(c.diskQuotaBytes), value: (c) => c.diskQuotaBytes ?? 0 },
  autostart: { title: 'AUTOSTART', priority: 10, cell: (c) => yesNo(c.autostart), value: (c) => Number(c.autostart) },
  disk: {
    title: 'DISK',
    priority: 4,
    cell: (c) => showUse(c.diskUsedBytes, c.diskQuotaBytes),
    value: (c) => c.diskUsedBytes ?? 0,
  },
  cpu: { title: 'CPU', priority: 9, align: 'right', cell: (c) => String(c.cpus ?? '-'), value: (c) => c.cpus ?? 0 },
  memory: {
    title: 'MEMORY',
    priority: 5,
    cell: (c) => showUse(c.memoryUsedBytes, c.memoryLimitBytes),
    value: (c) => c.memoryUsedBytes ?? 0,
  },
  uptime: {
    title: 'UPTIME',
    priority: 10,
    cell: (c, context) => showUptime(c.startedAt, context),
    value: (c) => -Date.parse(c.startedAt ?? '0'),
  },
  created: {
    title: 'CREATED',
    priority: 11,
    cell: (c, context) => showTime(c.createdAt, context),
    value: (c) => c.createdAt,
  },
  keys: {
    title: 'KEYS',
    priority: 12,
    align: 'right',
    cell: (c) => String(c.keys.length),
    value: (c) => c.keys.length,
  },
  docker: { title: 'DOCKER', priority: 13, cell: (c) => yesNo(c.docker), value: (c) => Number(c.docker) },
  protected: {
    title: 'PROTECTED',
    priority: 15,
    cell: (c) => yesNo(c.protected),
    value: (c) => Number(c.protected),
  },
  snapshots: {
    title: 'SNAPSHOTS',
    priority: 14,
    align: 'right',
    cell: (c) => String(c.snapshots),
    value: (c) => c.snapshots,
  },
  snapshot: {
    title: 'SNAPSHOT',
    priority: 8,
    cell: (c, context) => showTime(c.lastSnapshotAt, context),
    value: (c) => -Date.parse(c.lastSnapshotAt ?? '0'),
  },
  backup: {
    title: 'BACKUP',
    priority: 9,
    cell: (c, context) => showTime(c.lastBackupAt, context),
    value: (c) => -Date.parse(c.lastBackupAt ?? '0'),
  },
  image: { title: 'IMAGE', priority: 15, cell: (c) => c.image, value: (c) => c.image },
  labels: {
    title: 'LABELS',
    priority: 10,
    cell: (c) =>
      Object.entries(c.labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(' ') || '-',
    value: (c) => JSON.stringify(c.labels),
  },
} as const satisfies Record<string, ListColumn>;

export type ListColumnName = keyof typeof listColumns;
export const defaultListColumns: readonly ListColumnName[] = [
  'user',
  'status',
  'ip',
  'quota',
  'autostart',
  'disk',
  'memory',
  'snapshot',
];

function addressNumber(address: string | null): number {
  return (address ?? '0.0.0.0').split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function columnName(text: string): ListColumnName {
  const name = text.trim().toLowerCase();
  if (Object.hasOwn(listColumns, name)) return name as ListColumnName;
  throw new Failure('usage', {
    what: `column "${text}"`,
    why: 'no such column',
    next: `choose from ${Object.keys(listColumns).join(', ')}`,
  });
}

const natural = lazily(() => new Intl.Collator('en', { numeric: true }));

/** Returns the containers sorted by one column, in reverse order with a leading `-`. Equal rows are sorted by name. */
export function sortContainers(containers: readonly Container[], by: string): Container[] {
  const descending = by.startsWith('-');
  const column: ListColumn = listColumns[columnName(descending ? by.slice(1) : by)];
  const compare = (a: Container, b: Container): number => {
    const [x, y] = [column.value(a), column.value(b)];
    return typeof x === 'number' && typeof y === 'number' ? x - y : natural().compare(String(x), String(y));
  };
  return [...containers].sort((a, b) => (descending ? -1 : 1) * compare(a, b) || natural().compare(a.user, b.user));
}

export type ListResult = ContainerList & { readonly columns: readonly ListColumnName[] };

export const list = defineVerb({
  name: 'list',
  aliases: ['ls'],
  summary: 'List containers',
  examples: [
    { line: 'list', says: 'all containers' },
    { line: 'list --state running --sort -memory', says: 'running containers, highest memory use first' },
    { line: 'list --label team=blue --columns user,ip,labels', says: 'containers with a label, in selected columns' },
    { line: 'list --watch', says: 'a live view (requires ssh -t)' },
    { line: 'list --json', says: 'one JSON document, for scripts' },
  ],
  access: { manage: 'viewer' },
  viewSwitch: 'watch',
  changes: false,
  danger: 'none',
  parameters: [
    {
      kind: 'option',
      name: 'state',
      narrows: true,
      long: ['state'],
      value: 'state',
      choices: ['all', 'running', 'stopped'],
      summary: 'only containers in this state',
    },
    {
      kind: 'option',
      name: 'user',
      narrows: true,
      long: ['user'],
      value: 'user',
      summary: 'only the container of this user',
      complete: 'users',
    },
    {
      kind: 'option',
      name: 'labels',
      narrows: true,
      long: ['label'],
      short: 'l',
      value: 'key[=value]',
      repeatable: true,
      summary: 'only containers with this label; with several labels, all must match',
      complete: 'labels',
    },
    {
      kind: 'option',
      name: 'columns',
      long: ['columns'],
      short: 'c',
      value: 'names',
      values: Object.keys(listColumns),
      summary: `comma-separated columns: ${Object.keys(listColumns).join(', ')}`,
    },
    {
      kind: 'option',
      name: 'sort',
      long: ['sort'],
      value: 'column',
      values: Object.keys(listColumns),
      summary: 'sort by this column; -column reverses the order',
    },
    {
      kind: 'option',
      name: 'watch',
      long: ['watch'],
      short: 'w',
      summary: 'open the live view, which requires a terminal',
    },
  ],
  input: () =>
    z.strictObject({
      state: z.enum(['all', 'running', 'stopped']).optional(),
      user: username.optional(),
      labels: z.array(labelSelector).max(64).optional(),
      columns: parsedBy((text) => text.split(',').map(columnName), 400).optional(),
      sort: parsedBy((text) => (columnName(text.replace(/^-/, '')), text)).optional(),
      watch: z.boolean().optional(),
    }),
  ends: readEnds,
  view: (result: ListResult, context) => {
    const columns: ListColumn[] = result.columns.map((name) => listColumns[name]);
    return [
      {
        kind: 'table',
        noun: 'Container of',
        columns,
        rows: result.containers.map((container) => columns.map((column) => column.cell(container, context))),
        empty: 'No containers',
      },
      ...listSummary(result, context),
    ];
  },
  rows: (result) => ({
    columns: result.columns,
    rows: result.containers.map((c) => result.columns.map((name) => csvValue(c, name))),
  }),
});

function csvValue(container: Container, column: ListColumnName): string | number | boolean | null {
  switch (column) {
    case 'ip':
      return container.address;
    case 'quota':
      return container.diskQuotaBytes;
    case 'disk':
      return container.diskUsedBytes;
    case 'memory':
      return container.memoryUsedBytes;
    case 'cpu':
      return container.cpus;
    case 'autostart':
      return container.autostart;
    case 'docker':
      return container.docker;
    case 'protected':
      return container.protected;
    case 'uptime':
      return container.startedAt;
    case 'created':
      return container.createdAt;
    case 'keys':
      return container.keys.length;
    case 'snapshot':
      return container.lastSnapshotAt;
    case 'backup':
      return container.lastBackupAt;
    case 'snapshots':
      return container.snapshots;
    case 'labels':
      return Object.entries(container.labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(' ');
    default:
      return container[column];
  }
}
