import { describe, expect, test } from 'vitest';
import { emptyLine, headLine, type Line } from '../../../../src/shell/views/layout/lines.ts';
import { ListModel } from '../../../../src/shell/views/model/listModel.ts';
import { change, container, whole } from '../../../support/containers.ts';

const text = ({ segments }: Line): string => segments.map((segment) => segment.text).join('');

function model(): ListModel {
  const list = new ListModel();
  list.apply(whole(container('alice'), container('bob', { status: 'stopped' })));
  return list;
}

describe('the line above the list', () => {
  test('has the number of containers, the host, the order and the time of measurement', () => {
    expect(text(headLine(model(), 'SIMULATED', 99))).toBe(
      '2 containers, 1 running · SIMULATED · by user · measured 03:00:00 UTC',
    );
  });

  test('keeps the most important parts in a narrow window', () => {
    expect(text(headLine(model(), 'SIMULATED', 39))).toBe('2 containers, 1 running · SIMULATED');
  });

  test('counts the marks, including those that the filter hides', () => {
    const list = model();
    list.markShown();
    list.setFilter('bob');
    expect(text(headLine(list, '', 99))).toBe(
      '1 of 2 matching "bob" · 2 marked (1 not shown) · by user · measured 03:00:00 UTC',
    );
  });

  test('says since when and why the list is out of date', () => {
    const list = model();
    list.apply(change({ measuredAt: '2026-01-02T03:00:15.000Z', stale: 'Incus: it\u001b[31m is down' }));
    expect(text(headLine(list, '', 99))).toBe('! Not updated since 03:00:15 UTC: Incus: it\\u{1b}[31m is down');
  });

  test('says that the list is loading before the first update', () => {
    expect(text(headLine(new ListModel(), '', 99))).toBe('Loading containers…');
  });
});

test('an empty list says why it is empty', () => {
  expect(text(emptyLine({ loaded: true, filter: '' }))).toBe('  No containers');
  expect(text(emptyLine({ loaded: true, filter: 'zzz' }))).toContain('Nothing matches "zzz"');
});
