import { describe, expect, it } from 'vitest';
import { Penalties, type PenaltyLimits } from '../../../../src/front/admission/penalties.ts';

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

/** Fails so often at one time; gives the penalty that begins, if any. */
function fail(penalties: Penalties, times: number, nowMs: number, source = 'a') {
  return Array.from({ length: times }, () => penalties.penalise(source, 'failedLogin', nowMs)).find(
    (begun) => begun !== undefined,
  );
}

describe('penalties', () => {
  it('add up, and refuse only when they are more than the least', () => {
    const penalties = new Penalties(limits);
    expect(fail(penalties, 3, start)).toBeUndefined();
    expect(penalties.refusal('a', start)).toBeUndefined();
    expect(fail(penalties, 1, start)).toEqual({ source: 'a', why: 'failedLogin', times: 1, untilMs: start + 20_000 });
    expect(penalties.refusal('a', start + 19_999)).toEqual({ why: 'failedLogin', untilMs: start + 20_000 });
    expect(penalties.refusal('a', start + 20_000)).toBeUndefined();
    expect(penalties.refusal('b', start)).toBeUndefined();
  });

  it('are forgotten as time passes: one wrong key a minute never refuses anybody', () => {
    const penalties = new Penalties(limits);
    for (let minute = 0; minute < 1000; minute++) expect(fail(penalties, 1, start + minute * 60_000)).toBeUndefined();
  });

  it('are twice as long each time, up to the longest, and as short as the first after a quiet time', () => {
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

  it('weigh by what was done, and nothing that is set to 0', () => {
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

  it('grow by connections that were open when they began, and are told once', () => {
    const penalties = new Penalties(limits);
    fail(penalties, 4, start);
    expect(fail(penalties, 200, start)).toBeUndefined();
    expect(penalties.refusal('a', start)).toEqual({ why: 'failedLogin', untilMs: start + 600_000 });
  });

  it('can be lifted, with what came before', () => {
    const penalties = new Penalties(limits);
    fail(penalties, 4, start);
    penalties.lift('a');
    expect(penalties.refusal('a', start)).toBeUndefined();
    expect(fail(penalties, 3, start)).toBeUndefined();
    penalties.lift('a');
    expect(fail(penalties, 3, start)).toBeUndefined();
    expect(fail(penalties, 1, start)).toMatchObject({ times: 1 });
  });

  it('are taken over from before, no longer than any may be', () => {
    const penalties = new Penalties(limits);
    penalties.restore({ source: 'a', why: 'late', times: 2, untilMs: start + 5000 }, start);
    penalties.restore({ source: 'b', why: 'late', times: 2, untilMs: start + 1e12 }, start);
    penalties.restore({ source: 'c', why: 'late', times: 2, untilMs: start - 5000 }, start);
    expect(penalties.refusal('a', start)).toEqual({ why: 'late', untilMs: start + 5000 });
    expect(penalties.refusal('b', start)).toEqual({ why: 'late', untilMs: start + 600_000 });
    expect(penalties.refusal('c', start)).toBeUndefined();
    expect(fail(penalties, 4, start, 'c')).toMatchObject({ times: 3, untilMs: start + 80_000 });
  });

  it('remember a bounded number of sources, those in force before those that add up', () => {
    const penalties = new Penalties(limits);
    fail(penalties, 4, start, 'first');
    for (let i = 0; i < 10_000; i++) fail(penalties, 1, start, `other ${i}`);
    expect(penalties.size).toBeLessThanOrEqual(3 * limits.maxSources);
    expect(penalties.refusal('first', start)).toBeDefined();
    for (let i = 0; i < 1000; i++) fail(penalties, 4, start, `other ${i}`);
    expect(penalties.size).toBeLessThanOrEqual(3 * limits.maxSources);
    expect(penalties.refusal('first', start)).toBeUndefined();
  });

  it('forget first who did something longest ago', () => {
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

  it('that ended before a restart take no place from those that go on', () => {
    const penalties = new Penalties(limits);
    penalties.restore({ source: 'a', why: 'late', times: 1, untilMs: start + 5000 }, start);
    for (let i = 0; i < limits.maxSources; i++)
      penalties.restore({ source: `old ${i}`, why: 'late', times: 1, untilMs: start - 5000 }, start);
    expect(penalties.refusal('a', start)).toBeDefined();
  });

  it('can let nobody in when there are too many, until some end', () => {
    const penalties = new Penalties({ ...limits, overflow: 'deny-all' });
    for (let i = 0; i < limits.maxSources; i++) fail(penalties, 4, start, `other ${i}`);
    expect(penalties.refusal('new', start)).toBe('overflow');
    expect(penalties.refusal('new', start + 20_000)).toBeUndefined();
  });
});
