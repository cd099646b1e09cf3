import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pruneList, type Dated, type Keep } from '../../../src/repository/retention.ts';

const dayMs = 86_400_000;
const now = new Date('2026-11-29T12:00:00Z');
const keep: Keep = { daily: 7, weekly: 4, monthly: 6 };

const backup = (time: string | number, verified = false): Dated => {
  const createdAt = new Date(time);
  return { id: createdAt.toISOString(), createdAt, verifiedAt: verified ? createdAt : undefined };
};
const daily = (days: number): Dated[] =>
  Array.from({ length: days }, (_, day) => backup(now.getTime() - day * dayMs - 3_600_000));
const days = (backups: readonly Dated[]): string[] => backups.map(({ id }) => id.slice(0, 10)).sort();

describe('the list of backups to prune', () => {
  it('leaves the newest of each of the last days, weeks and months', () => {
    const all = daily(400);
    const gone = new Set(pruneList(all, keep, now));
    expect(days(all.filter((each) => !gone.has(each)))).toEqual([
      // The last days of months.
      ...['2026-06-30', '2026-07-31', '2026-08-31', '2026-09-30', '2026-10-31'],
      // Sundays.
      ...['2026-11-08', '2026-11-15', '2026-11-22'],
      // The last days. The last is also the newest of its week and month.
      ...['2026-11-23', '2026-11-24', '2026-11-25', '2026-11-26', '2026-11-27', '2026-11-28', '2026-11-29'],
    ]);
  });

  it('has the older ones of a day, the oldest first', () => {
    const all = ['2026-11-29T01:00:00Z', '2026-11-29T09:00:00Z', '2026-11-29T05:00:00Z'].map((time) => backup(time));
    expect(pruneList(all, keep, now).map(({ id }) => id.slice(11, 16))).toEqual(['01:00', '05:00']);
  });

  it('counts periods that have a backup, so that a pause deletes nothing', () => {
    const all = ['2020-01-01T00:00:00Z', '2021-02-02T00:00:00Z', '2022-03-03T00:00:00Z'].map((time) => backup(time));
    expect(pruneList(all, keep, now)).toEqual([]);
  });

  it('keeps what a kept one builds on, and has others after those that build on them', () => {
    const [fourth, third, second, first] = daily(4).map((each) => ({ ...each })) as [Dated, Dated, Dated, Dated];
    const on = (each: Dated, base: Dated): Dated => ({ ...each, base: base.id });
    const none: Keep = { daily: 0, weekly: 0, monthly: 0 };
    const chain = [first, on(second, first), on(third, on(second, first)), on(fourth, on(third, second))];
    expect(pruneList(chain, none, now)).toEqual([]);
    // The newest is full, so the chain before it can go, from its end.
    const two = [first, on(second, first), on(third, second), fourth];
    expect(pruneList(two, none, now).map(({ id }) => id)).toEqual([third.id, second.id, first.id]);
    expect(pruneList([on(first, second), on(second, first), fourth], none, now)).toEqual([]);
  });

  it('never has the only backup, nor the newest verified one', () => {
    const none: Keep = { daily: 0, weekly: 0, monthly: 0 };
    expect(pruneList([backup('2020-01-01T00:00:00Z')], none, now)).toEqual([]);
    const verified = backup('2020-01-01T00:00:00Z', true);
    const all = [backup('2019-01-01T00:00:00Z', true), verified, ...daily(3)];
    const gone = pruneList(all, none, now);
    expect(gone).not.toContain(verified);
    expect(gone).toHaveLength(3);
  });

  it('leaves a backup from the future, and lets it keep no period', () => {
    const future = backup('2030-01-01T00:00:00Z');
    const all = [future, ...daily(2)];
    expect(pruneList(all, { daily: 2, weekly: 0, monthly: 0 }, now)).toEqual([]);
  });

  it('has nothing more once it was followed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -400, max: 2 }), fc.boolean()), { maxLength: 60 }),
        fc.record({ daily: fc.nat(9), weekly: fc.nat(9), monthly: fc.nat(9) }),
        (times, rules) => {
          const all = times.map(([hours, verified]) => backup(now.getTime() + hours * 7 * 3_600_000, verified));
          const gone = new Set(pruneList(all, rules, now));
          const left = all.filter((each) => !gone.has(each));
          expect(left.length).toBeGreaterThanOrEqual(Math.min(1, all.length));
          expect(pruneList(left, rules, now)).toEqual([]);
        },
      ),
      { numRuns: 200 },
    );
  });
});
