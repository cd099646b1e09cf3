/** Tables in the transcript: one rule, the columns that matter, and a word about those that have no room. */
import { describe, expect, it } from 'vitest';
import type { Block } from '../../../src/catalogue/declaration/view.ts';
import { list } from '../../../src/catalogue/verbs/list.ts';
import { renderItem } from '../../../src/shell/items/renderItem.tsx';

const container = (user: string): object => ({
  user,
  name: `${user}-container`,
  status: 'running',
  provisioning: 'ready',
  address: '10.0.3.110',
  diskQuotaBytes: 50 * 1024 ** 3,
  diskUsedBytes: 1024 ** 3,
  memoryLimitBytes: 4 * 1024 ** 3,
  memoryUsedBytes: 1024 ** 3,
  autostart: true,
  labels: {},
  outOfMemory: null,
  restartFor: [],
  lastSnapshotAt: null,
});

function shown(users: readonly string[], width: number): string {
  const result = {
    containers: users.map(container),
    columns: ['user', 'status', 'ip', 'quota', 'autostart', 'disk', 'memory', 'snapshot'],
    total: users.length,
    running: users.length,
    stopped: 0,
    foreign: 0,
  };
  const blocks: Block[] = list.view(result as never, { now: new Date(), terminal: true });
  return renderItem({ kind: 'blocks', blocks }, width);
}

describe('a table', () => {
  it('has one rule below its titles, and none between its rows', () => {
    const lines = shown(['alice', 'bob', 'dan'], 140).split('\n');
    expect(lines.filter((line) => line.startsWith('├'))).toHaveLength(1);
    expect(lines.findIndex((line) => line.startsWith('├'))).toBe(2);
    expect(lines.slice(3, 6).map((line) => line.slice(0, 7))).toEqual(['│ alice', '│ bob  ', '│ dan  ']);
    expect(lines[6]).toMatch(/^└/);
  });

  it('keeps status, address, disk and memory longest, and names what it has no room for', () => {
    expect(shown(['alice'], 140)).not.toContain('No room');
    expect(shown(['alice'], 80)).toMatch(/USER .*STATUS .*IP .*DISK .*MEMORY/);
    expect(shown(['alice'], 80).replaceAll('\n', ' ')).toMatch(
      /No room for (QUOTA, )?AUTOSTART(, SNAPSHOT)?; a wider window/,
    );
  });
});
