import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TimeLimit, warningMs } from '../../../../src/front/sessions/timeLimits.ts';

const minuteMs = 60_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watch(limitMs: number, isBusy?: () => boolean) {
  const told: string[] = [];
  const limit = new TimeLimit({
    limitMs,
    warn: (leftMs) => told.push(`${Math.round(leftMs / 1000)} s left`),
    end: () => told.push('end'),
    ...(isBusy === undefined ? {} : { isBusy }),
  });
  return { told, limit };
}

describe('a time limit', () => {
  it('warns a minute before the end, or a tenth', () => {
    expect([3_600_000, 600_000, 30_000].map(warningMs)).toEqual([60_000, 60_000, 3000]);
    const { told } = watch(60 * minuteMs);
    vi.advanceTimersByTime(59 * minuteMs - 1);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(told).toEqual(['60 s left']);
    vi.advanceTimersByTime(minuteMs + 1);
    expect(told).toEqual(['60 s left', 'end']);
  });

  it('begins anew with each touch, also after the warning', () => {
    const { told, limit } = watch(60 * minuteMs);
    for (let i = 0; i < 5; i++) {
      vi.advanceTimersByTime(59.5 * minuteMs);
      limit.touch();
    }
    expect(told).toEqual(Array.from({ length: 5 }, () => '60 s left'));
    vi.advanceTimersByTime(60 * minuteMs + 1);
    expect(told.slice(5)).toEqual(['60 s left', 'end']);
  });

  it('does not pass while something runs', () => {
    let busy = true;
    const { told } = watch(60 * minuteMs, () => busy);
    vi.advanceTimersByTime(600 * minuteMs);
    expect(told).toEqual([]);
    busy = false;
    vi.advanceTimersByTime(120 * minuteMs);
    expect(told).toEqual(['60 s left', 'end']);
  });

  it.each([
    ['touched', []],
    ['stopped', []],
    ['left alone', ['end']],
  ] as const)('that is %s by what arrived before its end, and is read after its timer', async (what, end) => {
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const { told, limit } = watch(60 * minuteMs);
    vi.advanceTimersByTime(60 * minuteMs);
    if (what === 'touched') limit.touch();
    if (what === 'stopped') limit.stop();
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).toEqual(['60 s left', ...end]);
  });

  it('of 0 is none, one of months does not end at once, and one that was stopped is over', () => {
    expect(vi.getTimerCount()).toBe(0);
    watch(0);
    expect(vi.getTimerCount()).toBe(0);
    const { told, limit } = watch(90 * 24 * 60 * minuteMs);
    vi.advanceTimersByTime(80 * 24 * 60 * minuteMs);
    expect(told).toEqual([]);
    limit.stop();
    vi.advanceTimersByTime(80 * 24 * 60 * minuteMs);
    expect(told).toEqual([]);
  });
});
