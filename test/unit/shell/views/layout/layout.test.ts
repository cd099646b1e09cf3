import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { bodyRows, footerRows, place, scrolled, Widths } from '../../../../../src/shell/views/layout/layout.ts';
import { cell, cut, joinFitting, wrapped } from '../../../../../src/shell/views/layout/cells.ts';
import { rowLine, titleLine, type Line } from '../../../../../src/shell/views/layout/lines.ts';
import { ListModel } from '../../../../../src/shell/views/model/listModel.ts';
import { container, gib, whole } from '../../../../support/containers.ts';

const widest = container('a'.repeat(32), {
  labels: { team: '青チーム', note: '👨‍👩‍👧 family', evil: '\u001b[31mred\u202e' },
  memoryUsedBytes: Math.round(1023.9 * 1024 ** 2),
  diskUsedBytes: Math.round(1023.9 * gib),
  address: '10.255.255.255',
});
const now = new Date('2026-01-20T00:00:00Z');
const look = { selected: false, marked: false, liveCall: undefined, now };

const widths = new Widths();
widths.see([container('alice'), widest], now);

function text({ segments }: Line): string {
  return segments.map((segment) => segment.text).join('');
}

test.each([20, 39, 60, 79, 99, 119, 159, 199, 299])('a row is never wider than a window of %i columns', (width) => {
  const placed = place(widths, width);
  for (const each of [container('bob'), widest])
    expect(stringWidth(text(rowLine(each, placed, { ...look, width })).trimEnd())).toBeLessThanOrEqual(width);
  const selected = text(rowLine(widest, placed, { ...look, selected: true, width }));
  if (width >= 39) expect(stringWidth(selected)).toBe(width);
});

test.each([
  [39, ['user', 'status', 'ip']],
  [79, ['user', 'status', 'ip', 'cpu', 'memory', 'disk']],
])('a window of %i cells shows the most important columns', (width, names) => {
  const narrow = new Widths();
  narrow.see([container('alice')], now);
  expect(place(narrow, width).map(({ name }) => name)).toEqual(names);
});

test('a wide window shows all columns, with bars', () => {
  const placed = place(widths, 299);
  expect(placed.map(({ name }) => name)).toEqual([
    'user',
    'status',
    'ip',
    'cpu',
    'memory',
    'disk',
    'uptime',
    'snapshot',
    'labels',
  ]);
  expect(placed.filter(({ bar }) => bar).map(({ name }) => name)).toEqual(['memory', 'disk']);
});

test('cells are aligned with their titles, whatever they contain', () => {
  const list = new ListModel();
  list.apply(whole(container('alice'), widest));
  const placed = place(widths, 199);
  const title = text(titleLine(placed, list));
  for (const each of list.shown) {
    const line = text(rowLine(each, placed, { ...look, width: 199 }));
    const cellsBefore = stringWidth(title.slice(0, title.indexOf('IP')));
    const at = line.indexOf(each.address ?? '');
    expect(stringWidth(line.slice(0, at))).toBe(cellsBefore);
  }
});

test('text from outside is escaped', () => {
  const line = text(rowLine(widest, place(widths, 299), { ...look, width: 299 }));
  expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
});

test('column widths only grow', () => {
  const growing = new Widths();
  growing.see([container('alice')], now);
  const before = growing.of('user');
  growing.see([container('a')], now);
  expect(growing.of('user')).toBe(before);
});

describe('a running call', () => {
  const liveCall = {
    id: '1',
    title: 'restart alice',
    verb: 'restart',
    target: 'alice',
    own: true,
    startedMs: 0,
    notes: [],
  };

  test('replaces the status without changing the width', () => {
    const placed = place(widths, 79);
    const idle = text(rowLine(container('alice'), placed, { ...look, width: 79 }));
    const step = { index: 2, total: 5, title: 'Start', state: 'begun', elapsedMs: 0 } as const;
    const busy = text(
      rowLine(container('alice'), placed, { ...look, width: 79, liveCall: { ...liveCall, steps: [step] } }),
    );
    expect(busy).toContain('~ restart 2/5…');
    expect(stringWidth(busy)).toBe(stringWidth(idle));
  });

  test('shows only its verb before its first step', () => {
    expect(
      text(
        rowLine(container('alice'), place(widths, 79), { ...look, width: 79, liveCall: { ...liveCall, steps: [] } }),
      ),
    ).toContain('~ restart…');
  });
});

test('marks and the selection are shown by signs, not only by colours', () => {
  const line = rowLine(container('alice'), place(widths, 79), { ...look, selected: true, marked: true, width: 79 });
  expect(text(line).startsWith('›*alice')).toBe(true);
  expect(line.inverse).toBe(true);
});

test('the selection is one even bar, whatever the colours of its parts', () => {
  const placed = place(widths, 79);
  const plain = rowLine(container('alice'), placed, { ...look, marked: true, width: 79 });
  expect(plain.segments.filter(({ style }) => style !== undefined).length).toBeGreaterThan(1);
  const { segments, inverse } = rowLine(container('alice'), placed, {
    ...look,
    selected: true,
    marked: true,
    width: 79,
  });
  expect(inverse).toBe(true);
  expect(segments).toEqual([{ text: expect.any(String) as string }]);
  expect(stringWidth(segments[0]?.text ?? '')).toBe(79);
});

describe('scrolling', () => {
  test.each([
    [0, 0, 100, 10, 0],
    [0, 9, 100, 10, 0],
    [0, 10, 100, 10, 1],
    [50, 10, 100, 10, 10],
    [95, 99, 100, 10, 90],
    [5, 2, 3, 10, 0],
  ])('from %i to row %i of %i, with %i visible, shows row %i first', (top, selected, count, room, expected) => {
    expect(scrolled(top, selected, count, room)).toBe(expected);
  });

  test.each([12, 24, 50, 100])('leaves the layout within %i rows', (rows) => {
    for (const wanted of [undefined, 4, 7, 60]) {
      expect(2 + bodyRows(rows, wanted) + footerRows(rows, wanted)).toBe(rows);
      expect(bodyRows(rows, wanted)).toBeGreaterThanOrEqual(3);
    }
  });
});

describe('fitting text into cells', () => {
  test('does not cut wide characters in half', () => {
    expect(cut('青青青青', 5)).toBe('青青…');
    expect(stringWidth(cell('青青青青', 6))).toBe(6);
    expect(cell('7', 4, 'right')).toBe('   7');
  });

  test('breaks long lines without loss', () => {
    const lines = wrapped('abcdefghij\n青青青', 4);
    expect(lines).toEqual(['abcd', 'efgh', 'ij', '青青', '青']);
  });

  test('joins as many parts as fit', () => {
    expect(joinFitting(['one', 'two', 'three'], ' · ', 12)).toBe('one · two');
    expect(joinFitting(['one two three'], ' · ', 5)).toBe('one …');
  });
});
