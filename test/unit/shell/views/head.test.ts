import { describe, expect, test } from 'vitest';
import { emptyLine, headLine, type Line } from '../../../../src/shell/views/layout/lines.ts';
import { ListModel } from '../../../../src/shell/views/model/model.ts';
import { change, container, whole } from '../../../support/containers.ts';

const text = ({ segments }: Line): string => segments.map((segment) => segment.text).join('');

function model(): ListModel {
  const list = new ListModel();
  list.apply(whole(container('alice'), container('bob', { status: 'stopped' })));
  return list;
}

describe('the line above the list', () => {
  test('says how many there are, where, in which order, and when they were measured', () => {
    expect(text(headLine(model(), 'SIMULATED', 99))).toBe(
      '2 containers, 1 running · SIMULATED · by name · measured 03:00:00 UTC',
    );
  });

  test('keeps the most important where it is narrow', () => {
    expect(text(headLine(model(), 'SIMULATED', 39))).toBe('2 containers, 1 running · SIMULATED');
  });

  test('counts marks, also those that the filter hides', () => {
    const list = model();
    list.markShown();
    list.setFilter('bob');
    expect(text(headLine(list, '', 99))).toBe(
      '1 of 2 with "bob" · 2 marked (1 not shown) · by name · measured 03:00:00 UTC',
    );
  });

  test('says in words that the list is not followed, since when and why', () => {
    const list = model();
    list.apply(change({ measuredAt: '2026-01-02T03:00:15.000Z', stale: 'Incus: it\u001b[31m is down' }));
    expect(text(headLine(list, '', 99))).toBe('! Not followed since 03:00:15 UTC: Incus: it\\u{1b}[31m is down');
  });

  test('before anything is known it says so', () => {
    expect(text(headLine(new ListModel(), '', 99))).toBe('Looking at the host…');
  });
});

test('an empty list says why it is empty', () => {
  expect(text(emptyLine({ loaded: true, filter: '' }))).toBe('  No containers');
  expect(text(emptyLine({ loaded: true, filter: 'zzz' }))).toContain('Nothing matches "zzz"');
});
