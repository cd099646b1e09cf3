import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { PenaltyRecords } from '../../../../src/core/records/penaltyRecords.ts';
import type { JsonObject } from '../../../../src/domain/json.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('a flood of penalties makes ten records a minute, and one with the number of the others', () => {
  const entries: JsonObject[] = [];
  const records = new PenaltyRecords({ append: (entry) => Promise.resolve(entries.push(entry)) });
  const add = (count: number): void => {
    for (let i = 0; i < count; i++)
      records.add({
        network: `192.0.2.${i % 256}`,
        why: 'failedLogin',
        times: 1,
        at: '',
        until: '2026-11-24T12:00:00.000Z',
      });
  };
  add(1000);
  expect(entries).toHaveLength(10);
  expect(entries[0]).toEqual({
    type: 'penalty',
    target: '192.0.2.0',
    kind: 'failedLogin',
    times: 1,
    until: '2026-11-24T12:00:00.000Z',
  });
  vi.advanceTimersByTime(60_000);
  expect(entries.slice(10)).toEqual([{ type: 'penalties', kind: '990 more', more: 990 }]);
  vi.advanceTimersByTime(600_000);
  add(3);
  vi.advanceTimersByTime(60_000);
  expect(entries).toHaveLength(14);
  add(12);
  records.flush();
  expect(entries.at(-1)).toEqual({ type: 'penalties', kind: '2 more', more: 2 });
});

it('a penalty that cannot be recorded causes no error', async () => {
  const records = new PenaltyRecords({ append: () => Promise.reject(new Error('full')) });
  records.add({ network: '192.0.2.7', why: 'late', times: 1, at: '', until: '' });
  await vi.advanceTimersByTimeAsync(60_000);
});
