import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkInput } from '../../../src/catalogue/declaration/schema.ts';
import {
  defaultListColumns,
  list,
  listColumns,
  sortContainers,
  type ListColumnName,
  type ListResult,
} from '../../../src/catalogue/verbs/list.ts';
import type { Container } from '../../../src/domain/results/container.ts';

const gib = 1024 ** 3;
const context = { now: new Date('2026-11-23T12:00:00Z'), terminal: false };

function container(user: string, change: Partial<Container> = {}): Container {
  return {
    user,
    name: `${user}-container`,
    status: 'running',
    provisioning: 'ready',
    address: '10.0.3.100',
    cpus: 4,
    memoryLimitBytes: 4 * gib,
    memoryUsedBytes: gib,
    diskQuotaBytes: 50 * gib,
    diskUsedBytes: 5 * gib,
    autostart: true,
    docker: true,
    protected: false,
    expiresAt: null,
    image: 'images:ubuntu/24.04',
    labels: {},
    createdAt: '2026-11-20T12:00:00Z',
    createdBy: 'carol',
    startedAt: '2026-11-23T11:00:00Z',
    processes: 20,
    processLimit: 2000,
    restartFor: [],
    snapshots: 0,
    lastSnapshotAt: null,
    lastBackupAt: null,
    outOfMemory: null,
    keys: ['SHA256:a'],
    ...change,
  };
}

const result = (
  containers: readonly Container[],
  columns: readonly ListColumnName[] = defaultListColumns,
): ListResult => ({
  containers,
  total: containers.length,
  running: containers.filter(({ status }) => status === 'running').length,
  stopped: containers.filter(({ status }) => status === 'stopped').length,
  foreign: 0,
  measuredAt: context.now.toISOString(),
  columns,
});

function tableOf(shown: ListResult): { titles: string[]; rows: readonly (readonly string[])[] } {
  const [block] = list.view(shown, context);
  if (block?.kind !== 'table') throw new Error('no table');
  return { titles: block.columns.map(({ title }) => title), rows: block.rows };
}

const names = (containers: readonly Container[]): string[] => containers.map(({ user }) => user);

describe('sortContainers', () => {
  it.each<[string, Partial<Container>[], number[]]>([
    ['quota', [{ diskQuotaBytes: 5 * gib }, { diskQuotaBytes: null }, { diskQuotaBytes: 1 * gib }], [1, 2, 0]],
    ['-memory', [{ memoryUsedBytes: 1 }, { memoryUsedBytes: 3 }, { memoryUsedBytes: null }], [1, 0, 2]],
    ['ip', [{ address: '10.0.3.20' }, { address: '10.0.3.100' }, { address: '10.0.3.3' }], [2, 0, 1]],
    [
      'created',
      [
        { createdAt: '2026-11-20T12:00:00Z' },
        { createdAt: '2026-11-19T12:00:00Z' },
        { createdAt: '2026-11-21T12:00:00Z' },
      ],
      [1, 0, 2],
    ],
    ['autostart', [{ autostart: true }, { autostart: false }, { autostart: true }], [1, 0, 2]],
    ['keys', [{ keys: ['a', 'b'] }, { keys: [] }, { keys: ['a'] }], [1, 2, 0]],
    ['-cpu', [{ cpus: 2 }, { cpus: 16 }, { cpus: null }], [1, 0, 2]],
  ])('sorts by %s', (by, changes, order) => {
    const containers = changes.map((change, i) => container(`user${i}`, change));
    expect(names(sortContainers(containers, by))).toEqual(order.map((i) => `user${i}`));
  });

  it('sorts by uptime, shortest first', () => {
    const containers = [
      container('old', { startedAt: '2026-11-01T00:00:00Z' }),
      container('new', { startedAt: '2026-11-23T11:59:00Z' }),
    ];
    expect(names(sortContainers(containers, 'uptime'))).toEqual(['new', 'old']);
    expect(names(sortContainers(containers, '-uptime'))).toEqual(['old', 'new']);
  });

  it('sorts numbers in names by value', () => {
    expect(names(sortContainers([container('u10'), container('u9'), container('u100')], 'user'))).toEqual([
      'u9',
      'u10',
      'u100',
    ]);
  });

  it('sorts equal rows by name, in both directions', () => {
    const containers = [container('b'), container('c'), container('a')];
    expect(names(sortContainers(containers, 'quota'))).toEqual(['a', 'b', 'c']);
    expect(names(sortContainers(containers, '-quota'))).toEqual(['a', 'b', 'c']);
  });

  it('keeps all containers and does not change its argument, for any column', () => {
    const some = fc.array(
      fc.record({
        user: fc.stringMatching(/^[a-z][a-z0-9]{0,6}$/),
        cpus: fc.option(fc.nat(64)),
        disk: fc.option(fc.nat()),
        address: fc.option(fc.ipV4()),
      }),
      { maxLength: 12 },
    );
    const columns = Object.keys(listColumns).flatMap((name) => [name, `-${name}`]);
    fc.assert(
      fc.property(some, fc.constantFrom(...columns), (records, by) => {
        const before = records.map(({ user, cpus, disk, address }) =>
          container(user, { cpus, diskUsedBytes: disk, address }),
        );
        const copy = [...before];
        const after = sortContainers(before, by);
        expect(before).toEqual(copy);
        expect(new Set(after)).toEqual(new Set(before));
        expect(after).toHaveLength(before.length);
        expect(sortContainers(after, by)).toEqual(after);
      }),
    );
  });
});

describe('columns', () => {
  it('have the default order', () => {
    const { titles, rows } = tableOf(result([container('alice', { lastSnapshotAt: '2026-11-23T00:03:00.000Z' })]));
    expect(titles).toEqual(['USER', 'STATUS', 'IP', 'QUOTA', 'AUTOSTART', 'DISK', 'MEMORY', 'SNAPSHOT']);
    expect(rows).toEqual([
      [
        'alice',
        'Running',
        '10.0.3.100',
        '50 GiB',
        'Yes',
        '5 GiB / 50 GiB (10%)',
        '1 GiB / 4 GiB (25%)',
        '2026-11-23T00:03:00.000Z',
      ],
    ]);
  });

  it('show a dash for unknown values and for the address of a stopped container', () => {
    const { rows } = tableOf(
      result([
        container('bob', {
          status: 'stopped',
          diskQuotaBytes: null,
          diskUsedBytes: null,
          memoryUsedBytes: null,
          memoryLimitBytes: null,
          autostart: false,
        }),
      ]),
    );
    expect(rows).toEqual([['bob', 'Stopped', '-', '-', 'No', '-', '-', '-']]);
  });

  it('show the provisioning state of a container that is not ready', () => {
    expect(tableOf(result([container('carol', { provisioning: 'creating' })], ['status'])).rows).toEqual([
      ['Creating'],
    ]);
  });

  it('can all be selected', () => {
    const every = Object.keys(listColumns) as ListColumnName[];
    const { titles, rows } = tableOf(result([container('alice', { labels: { team: 'blue', env: 'dev' } })], every));
    expect(titles).toHaveLength(every.length);
    expect(rows[0]?.[every.indexOf('labels')]).toBe('team=blue env=dev');
    expect(rows[0]?.every((cell) => cell !== '')).toBe(true);
  });

  it('are exact numbers and times in CSV rows', () => {
    const every = Object.keys(listColumns) as ListColumnName[];
    const rows = list.rows?.(
      result([container('alice', { snapshots: 3, lastSnapshotAt: '2026-11-23T00:03:00Z' })], every),
    );
    expect(Object.fromEntries(every.map((name, i) => [name, rows?.rows[0]?.[i]]))).toEqual({
      name: 'alice-container',
      backup: null,
      user: 'alice',
      status: 'running',
      ip: '10.0.3.100',
      quota: 50 * gib,
      autostart: true,
      disk: 5 * gib,
      cpu: 4,
      memory: gib,
      uptime: '2026-11-23T11:00:00Z',
      created: '2026-11-20T12:00:00Z',
      keys: 1,
      docker: true,
      protected: false,
      snapshots: 3,
      snapshot: '2026-11-23T00:03:00Z',
      image: 'images:ubuntu/24.04',
      labels: '',
    });
  });

  it('are read from --columns and --sort, in any case and with spaces', () => {
    expect(checkInput(list, { columns: 'User, IP', sort: '-Memory' })).toEqual({
      columns: ['user', 'ip'],
      sort: '-Memory',
    });
  });

  it.each([
    { columns: 'name,nonsense' },
    { columns: '' },
    { columns: 'toString' },
    { sort: 'nonsense' },
    { sort: '--memory' },
    { sort: '' },
  ])('that do not exist are refused with a list of all columns: %j', (input) => {
    expect(() => checkInput(list, input)).toThrow(
      expect.objectContaining({
        code: 'usage',
        next: expect.stringContaining('user, name, status') as string,
      }) as Error,
    );
  });
});

describe('the line below the table', () => {
  const lastLine = (shown: ListResult): string => {
    const block = list.view(shown, context).at(-1);
    return block?.kind === 'text' ? block.text : '';
  };

  it('counts containers and other instances', () => {
    expect(lastLine(result([container('a'), container('b', { status: 'stopped' })]))).toBe(
      'Total: 2 containers (1 running, 1 stopped)',
    );
    expect(lastLine(result([container('a'), container('b', { status: 'stopped', provisioning: 'creating' })]))).toBe(
      'Total: 2 containers (1 running, 0 stopped, 1 creating)',
    );
    expect(lastLine(result([container('a')]))).toBe('Total: 1 container (1 running, 0 stopped)');
    expect(lastLine({ ...result([]), foreign: 1 })).toBe(
      'Total: 0 containers (0 running, 0 stopped); 1 other instance on this host not created by containarium',
    );
  });
});

it('list names the containers that have to restart, and why', () => {
  const restartFor = ['it still has the user ids of other containers'];
  const blocks = list.view(result([container('alice', { restartFor }), container('bob')]), context);
  expect(blocks.at(-1)).toMatchObject({
    tone: 'warn',
    text: '1 container to restart (it still has the user ids of other containers): "restart alice"',
  });
  expect(list.view(result([container('bob')]), context)).toHaveLength(2);
  const many = Array.from({ length: 12 }, (_, n) => container(`user${n}`, { restartFor }));
  expect(list.view(result(many), context).at(-1)).toMatchObject({
    text: expect.stringMatching(/^12 containers to restart .*"restart user9", and 2 more$/) as string,
  });
});
