import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ListModel } from '../../../../../src/shell/views/model/listModel.ts';
import { change, container, gib, whole } from '../../../../support/containers.ts';

function model(...users: readonly string[]): ListModel {
  const list = new ListModel();
  list.apply(whole(...users.map((user) => container(user))));
  return list;
}

const shown = (list: ListModel): string[] => list.shown.map(({ user }) => user);

describe('ListModel', () => {
  test('is not loaded before the first update', () => {
    const list = new ListModel();
    expect(list.loaded).toBe(false);
    expect(list.selected).toBeUndefined();
    expect(list.targets).toEqual([]);
  });

  test('changes, adds and removes rows with an update', () => {
    const list = model('alice', 'bob');
    list.apply(change({ changed: [container('bob', { status: 'stopped' }), container('carol')], removed: ['alice'] }));
    expect(list.shown.map(({ user, status }) => [user, status])).toEqual([
      ['bob', 'stopped'],
      ['carol', 'running'],
    ]);
  });

  test('replaces all rows with a whole update', () => {
    const list = model('alice', 'bob');
    list.apply(whole(container('carol')));
    expect(shown(list)).toEqual(['carol']);
  });

  test('keeps its rows while it is out of date', () => {
    const list = model('alice');
    list.apply(change({ stale: 'Incus: it is down' }));
    expect(list.stale).toBe('Incus: it is down');
    expect(shown(list)).toEqual(['alice']);
    list.apply(change({}));
    expect(list.stale).toBeNull();
  });
});

describe('the selection', () => {
  test('stays with its container when others are added before it', () => {
    const list = model('bob', 'carol');
    list.move(1);
    list.apply(change({ changed: [container('alice'), container('aaron')] }));
    expect(list.selected?.user).toBe('carol');
    expect(list.selectedIndex).toBe(3);
  });

  test('stays with its container when the order changes', () => {
    const list = new ListModel();
    list.apply(whole(container('alice', { cpuPercent: 90 }), container('bob', { cpuPercent: 10 })));
    list.nextSort();
    list.nextSort();
    list.nextSort();
    expect([list.sort, list.descending, shown(list)]).toEqual(['cpu', true, ['alice', 'bob']]);
    list.move(-1);
    list.apply(change({ changed: [container('bob', { cpuPercent: 95 })] }));
    expect(shown(list)).toEqual(['bob', 'alice']);
    expect(list.selected?.user).toBe('alice');
  });

  test('moves to the next row when its container is removed, or to the last row if there is none', () => {
    const list = model('alice', 'bob', 'carol');
    list.move(1);
    list.apply(change({ removed: ['bob'] }));
    expect(list.selected?.user).toBe('carol');
    list.apply(change({ removed: ['carol'] }));
    expect(list.selected?.user).toBe('alice');
    list.apply(change({ removed: ['alice'] }));
    expect(list.selected).toBeUndefined();
    list.apply(change({ changed: [container('dora')] }));
    expect(list.selected?.user).toBe('dora');
  });

  test('moves within the shown rows', () => {
    const list = model('alice', 'bob', 'carol');
    list.move(-1);
    expect(list.selected?.user).toBe('alice');
    list.move(Infinity);
    expect(list.selected?.user).toBe('carol');
    list.move(1);
    expect(list.selected?.user).toBe('carol');
    list.move(-Infinity);
    expect(list.selected?.user).toBe('alice');
  });

  test('is always one of the shown rows', () => {
    const user = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
    const step = fc.oneof(
      user.map((name) => (list: ListModel) => list.apply(change({ changed: [container(name)] }))),
      user.map((name) => (list: ListModel) => list.apply(change({ removed: [name] }))),
      fc.constantFrom('', 'a', '!a', 'zzz').map((filter) => (list: ListModel) => list.setFilter(filter)),
      fc.integer({ min: -9, max: 9 }).map((by) => (list: ListModel) => list.move(by)),
      fc.constant((list: ListModel) => list.toggleMark()),
      fc.constant((list: ListModel) => list.nextSort()),
      fc.constant((list: ListModel) => list.turnSort()),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const list = model('a', 'b', 'c');
        for (const each of steps) {
          each(list);
          const { selected } = list;
          if (list.shown.length === 0) expect(selected).toBeUndefined();
          else expect(list.shown).toContain(selected);
          for (const marked of list.marks) expect(list.container(marked)).toBeDefined();
        }
      }),
    );
  });
});

describe('marks', () => {
  test('survive filtering and sorting, and are removed with their container', () => {
    const list = model('alice', 'bob', 'carol');
    list.toggleMark();
    list.move(2);
    list.toggleMark();
    list.setFilter('bob');
    expect(list.targets.map(({ user }) => user)).toEqual(['alice', 'carol']);
    list.turnSort();
    expect(list.targets.map(({ user }) => user)).toEqual(['carol', 'alice']);
    list.apply(change({ removed: ['carol'] }));
    expect([...list.marks]).toEqual(['alice']);
  });

  test('are set on all shown rows, and removed if all are marked', () => {
    const list = model('alice', 'bob', 'carol');
    list.setFilter('!carol');
    list.markShown();
    expect([...list.marks]).toEqual(['alice', 'bob']);
    list.setFilter('');
    list.markShown();
    expect(list.marks.size).toBe(3);
    list.markShown();
    expect(list.marks.size).toBe(0);
  });

  test('are optional: without them keys act on the selected row', () => {
    const list = model('alice', 'bob');
    list.move(1);
    expect(list.targets.map(({ user }) => user)).toEqual(['bob']);
  });
});

describe('the order', () => {
  test('of names is natural', () => {
    expect(shown(model('user10', 'user9', 'user1'))).toEqual(['user1', 'user9', 'user10']);
  });

  test('puts containers without a value last in either direction', () => {
    const list = new ListModel();
    list.apply(
      whole(
        container('off', { memoryUsedBytes: null }),
        container('big', { memoryUsedBytes: 2 * gib }),
        container('small', { memoryUsedBytes: gib }),
      ),
    );
    while (list.sort !== 'memory') list.nextSort();
    expect(shown(list)).toEqual(['big', 'small', 'off']);
    list.turnSort();
    expect(shown(list)).toEqual(['small', 'big', 'off']);
  });

  test('of addresses is numeric', () => {
    const list = new ListModel();
    list.apply(whole(container('a', { address: '10.0.3.100' }), container('b', { address: '10.0.3.20' })));
    list.nextSort();
    list.nextSort();
    expect([list.sort, shown(list)]).toEqual(['ip', ['b', 'a']]);
  });
});

test('uptimes are as of the last measurement, so that the screen does not change by itself', () => {
  const list = model('alice');
  expect(list.now.toISOString()).toBe('2026-01-02T03:00:00.000Z');
});
