/**
 * The columns of the live list: the text of a cell, and the value it sorts by. The columns of `list` are in
 * src/catalogue/verbs/list.ts.
 */
import {
  capitalised,
  showCpu,
  showLimit,
  showSize,
  showTime,
  showUptime,
} from '../../../catalogue/declaration/show.ts';
import type { Tone } from '../../../catalogue/declaration/view.ts';
import type { FeedContainer } from '../../../domain/events/notice.ts';
import { printable } from '../../../domain/text.ts';

export interface ViewColumn {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** The importance, 1 being the highest. If room is short, the least important column is dropped first. */
  readonly priority: number;
  readonly text: (container: FeedContainer, now: Date) => string;
  /** The value to sort by. Null sorts last in either order. */
  readonly value: (container: FeedContainer) => string | number | null;
  /** The used fraction, from 0 to 1; null if unknown. */
  readonly ratio?: (container: FeedContainer) => number | null;
  /** The importance of the column's bar. */
  readonly barPriority?: number;
  /** Whether `list --sort` accepts this column. */
  readonly sortsList: boolean;
}

export const columns = {
  user: { title: 'USER', priority: 1, text: (c) => c.user, value: (c) => c.user, sortsList: true },
  status: {
    title: 'STATUS',
    priority: 2,
    text: (c) => statusOf(c).word,
    value: (c) => statusOf(c).word,
    sortsList: true,
  },
  ip: {
    title: 'IP',
    priority: 3,
    text: (c) => (c.status === 'running' ? (c.address ?? '-') : '-'),
    value: (c) => addressNumber(c.address),
    sortsList: true,
  },
  cpu: {
    title: 'CPU',
    priority: 4,
    align: 'right',
    text: (c) => showCpu(c.cpuPercent),
    value: (c) => c.cpuPercent,
    sortsList: false,
  },
  memory: {
    title: 'MEMORY',
    priority: 5,
    barPriority: 8,
    text: (c) => usage(c.memoryUsedBytes, c.memoryLimitBytes),
    value: (c) => c.memoryUsedBytes,
    ratio: (c) => fraction(c.memoryUsedBytes, c.memoryLimitBytes),
    sortsList: true,
  },
  disk: {
    title: 'DISK',
    priority: 6,
    barPriority: 9,
    text: (c) => usage(c.diskUsedBytes, c.diskQuotaBytes),
    value: (c) => c.diskUsedBytes,
    ratio: (c) => fraction(c.diskUsedBytes, c.diskQuotaBytes),
    sortsList: true,
  },
  uptime: {
    title: 'UPTIME',
    priority: 7,
    text: (c, now) => (c.status === 'running' ? showUptime(c.startedAt, { now, terminal: true }) : '-'),
    value: (c) => (c.status === 'running' && c.startedAt !== null ? -Date.parse(c.startedAt) : null),
    sortsList: true,
  },
  snapshot: {
    title: 'SNAPSHOT',
    priority: 8,
    text: (c, now) => showTime(c.lastSnapshotAt, { now, terminal: true }),
    value: (c) => (c.lastSnapshotAt === null ? null : -Date.parse(c.lastSnapshotAt)),
    sortsList: true,
  },
  labels: {
    title: 'LABELS',
    priority: 10,
    text: (c) => labelText(c),
    value: (c) => (Object.keys(c.labels).length === 0 ? null : labelText(c)),
    sortsList: true,
  },
} as const satisfies Record<string, ViewColumn>;

export type ColumnName = keyof typeof columns;
export const columnNames = Object.keys(columns) as ColumnName[];

export function isColumn(name: string): name is ColumnName {
  return Object.hasOwn(columns, name);
}

export function columnOf(name: ColumnName): ViewColumn {
  return columns[name];
}

/** Returns the text of a cell, escaped. */
export function cellText(name: ColumnName, container: FeedContainer, now: Date): string {
  return printable(columns[name].text(container, now));
}

/** How a status is shown. The sign is for terminals without colours. */
export interface StatusLook {
  readonly sign: string;
  readonly word: string;
  readonly tone: Tone;
}

export function statusOf({ status, provisioning }: FeedContainer): StatusLook {
  if (provisioning !== 'ready') return { sign: '~', word: capitalised(provisioning), tone: 'warn' };
  const word = capitalised(status);
  switch (status) {
    case 'running':
      return { sign: '•', word, tone: 'good' };
    case 'stopped':
      return { sign: '-', word, tone: 'quiet' };
    case 'error':
      return { sign: '!', word, tone: 'bad' };
    case 'frozen':
      return { sign: '=', word, tone: 'warn' };
    default:
      return { sign: '~', word, tone: 'warn' };
  }
}

function usage(used: number | null, whole: number | null): string {
  if (used === null && whole === null) return '-';
  return whole === null ? showSize(used) : `${showSize(used)} / ${showLimit(whole)}`;
}

function fraction(used: number | null, whole: number | null): number | null {
  return used === null || whole === null || whole <= 0 ? null : Math.min(1, used / whole);
}

function labelText({ labels }: FeedContainer): string {
  return (
    Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(' ') || '-'
  );
}

function addressNumber(address: string | null): number | null {
  return address === null ? null : address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}
