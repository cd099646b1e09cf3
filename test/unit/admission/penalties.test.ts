import { describe, expect, it } from 'vitest';
import { Penalties, type PenaltyLimits } from '../../../src/admission/penalties.ts';

const limits: PenaltyLimits = {
  failedLoginMs: 5000,
  noLoginMs: 1000,
  lateMs: 10_000,
  violationMs: 10_000,
  minMs: 15_000,
  maxMs: 600_000,
  maxSources: 100,
  overflow: 'permissive',
};
const start = 1_000_000_000;

/** Adds `times` failed logins at one moment; returns the penalty that begins, if any. */
function fail(penalties: Penalties, times: number, nowMs: number, source = 'a') {
  return Array.from({ length: times }, () => penalties.penalise(source, 'failedLogin', nowMs)).find(
    (begun) => begun !== undefined,
  );
}

describe('penalties', () => {
  it('add up, and apply only when the sum exceeds the minimum', () => {
    const penalties = new Penalties(limits);
    expect(fail(penalties, 3, start)).toBeUndefined();
    expect(penalties.rejection('a', start)).toBeUndefined();
    expect(fail(penalties, 1, start)).toEqual({ source: 'a', why: 'failedLogin', times: 1, untilMs: start + 20_000 });
    expect(penalties.rejection('a', start + 19_999)).toEqual({ why: 'failedLogin', untilMs: start + 20_000 });
    expect(penalties.rejection('a', start + 20_000)).toBeUndefined();
    expect(penalties.rejection('b', start)).toBeUndefined();
  });

  it('decay with time: one wrong key a minute never leads to a rejection', () => {
    const penalties = new Penalties(limits);
    for (let minute = 0; minute < 1000; minute++) expect(fail(penalties, 1, start + minute * 60_000)).toBeUndefined();
  });

  it('double each time up to the maximum, and start again after a quiet period', () => {
    const penalties = new Penalties(limits);
    let nowMs = start;
    const lengths = Array.from({ length: 8 }, () => {
      const { untilMs = nowMs } = fail(penalties, 4, nowMs) ?? {};
      const length = untilMs - nowMs;
      nowMs = untilMs;
      return length / 1000;
    });
    expect(lengths).toEqual([20, 40, 80, 160, 320, 600, 600, 600]);
    nowMs += limits.maxMs;
    expect(fail(penalties, 4, nowMs)?.untilMs).toBe(nowMs + 20_000);
  });

  it('weigh each outcome as configured, and ignore an outcome set to 0', () => {
    const penalties = new Penalties({ ...limits, violationMs: 0 });
    expect(
      Array.from({ length: 16 }, () => penalties.penalise('a', 'noLogin', start)).findIndex(
        (begun) => begun !== undefined,
      ),
    ).toBe(15);
    expect(
      Array.from({ length: 2 }, () => penalties.penalise('b', 'late', start)).findIndex((begun) => begun !== undefined),
    ).toBe(1);
    for (let i = 0; i < 100; i++) expect(penalties.penalise('c', 'violation', start)).toBeUndefined();
  });

  it('grow with connections that were open when they began, and are reported once', () => {
    const penalties = new Penalties(limits);
    fail(penalties, 4, start);
    expect(fail(penalties, 200, start)).toBeUndefined();
    expect(penalties.rejection('a', start)).toEqual({ why: 'failedLogin', untilMs: start + 600_000 });
  });

  it('can be lifted, together with what led to them', () => {
    const penalties = new Penalties(limits);
    fail(penalties, 4, start);
    penalties.lift('a');
    expect(penalties.rejection('a', start)).toBeUndefined();
    expect(fail(penalties, 3, start)).toBeUndefined();
    penalties.lift('a');
    expect(fail(penalties, 3, start)).toBeUndefined();
    expect(fail(penalties, 1, start)).toMatchObject({ times: 1 });
  });

  it('are restored after a restart, but never for longer than the maximum', () => {
    const penalties = new Penalties(limits);
    penalties.restore({ source: 'a', why: 'late', times: 2, untilMs: start + 5000 }, start);
    penalties.restore({ source: 'b', why: 'late', times: 2, untilMs: start + 1e12 }, start);
    penalties.restore({ source: 'c', why: 'late', times: 2, untilMs: start - 5000 }, start);
    expect(penalties.rejection('a', start)).toEqual({ why: 'late', untilMs: start + 5000 });
    expect(penalties.rejection('b', start)).toEqual({ why: 'late', untilMs: start + 600_000 });
    expect(penalties.rejection('c', start)).toBeUndefined();
    expect(fail(penalties, 4, start, 'c')).toMatchObject({ times: 3, untilMs: start + 80_000 });
  });

  it('remember a bounded number of sources, and keep penalties in force over sums that are not', () => {
    const penalties = new Penalties(limits);
    fail(penalties, 4, start, 'first');
    for (let i = 0; i < 10_000; i++) fail(penalties, 1, start, `other ${i}`);
    expect(penalties.size).toBeLessThanOrEqual(3 * limits.maxSources);
    expect(penalties.rejection('first', start)).toBeDefined();
    for (let i = 0; i < 1000; i++) fail(penalties, 4, start, `other ${i}`);
    expect(penalties.size).toBeLessThanOrEqual(3 * limits.maxSources);
    expect(penalties.rejection('first', start)).toBeUndefined();
  });

  it('forget first the source that has been quiet longest', () => {
    const penalties = new Penalties(limits);
    const others = (from: number, count: number): void => {
      for (let i = from; i < from + count; i++) fail(penalties, 1, start, `other ${i}`);
    };
    fail(penalties, 2, start);
    others(0, limits.maxSources - 1);
    fail(penalties, 1, start);
    others(limits.maxSources, limits.maxSources - 1);
    expect(fail(penalties, 1, start)).toBeDefined();
  });

  it('that ended before a restart do not displace those still in force', () => {
    const penalties = new Penalties(limits);
    penalties.restore({ source: 'a', why: 'late', times: 1, untilMs: start + 5000 }, start);
    for (let i = 0; i < limits.maxSources; i++)
      penalties.restore({ source: `old ${i}`, why: 'late', times: 1, untilMs: start - 5000 }, start);
    expect(penalties.rejection('a', start)).toBeDefined();
  });

  it('reject every source when there are too many and overflow is deny-all, until some end', () => {
    const penalties = new Penalties({ ...limits, overflow: 'deny-all' });
    for (let i = 0; i < limits.maxSources; i++) fail(penalties, 4, start, `other ${i}`);
    expect(penalties.rejection('new', start)).toBe('overflow');
    expect(penalties.rejection('new', start + 20_000)).toBeUndefined();
  });
});
