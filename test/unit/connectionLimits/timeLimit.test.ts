import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TimeLimit, warningMs } from '../../../src/connectionLimits/timeLimit.ts';

const minuteMs = 60_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watch(limitMs: number, isBusy?: () => boolean) {
  const events: string[] = [];
  const limit = new TimeLimit({
    limitMs,
    warn: (leftMs) => events.push(`${Math.round(leftMs / 1000)} s left`),
    end: () => events.push('end'),
    ...(isBusy === undefined ? {} : { isBusy }),
  });
  return { events, limit };
}

describe('a time limit', () => {
  it('warns a minute before the end, or a tenth of a short limit', () => {
    expect([3_600_000, 600_000, 30_000].map(warningMs)).toEqual([60_000, 60_000, 3000]);
    const { events } = watch(60 * minuteMs);
    vi.advanceTimersByTime(59 * minuteMs - 1);
    expect(events).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(events).toEqual(['60 s left']);
    vi.advanceTimersByTime(minuteMs + 1);
    expect(events).toEqual(['60 s left', 'end']);
  });

  it('starts again with each touch, also after the warning', () => {
    const { events, limit } = watch(60 * minuteMs);
    for (let i = 0; i < 5; i++) {
      vi.advanceTimersByTime(59.5 * minuteMs);
      limit.touch();
    }
    expect(events).toEqual(Array.from({ length: 5 }, () => '60 s left'));
    vi.advanceTimersByTime(60 * minuteMs + 1);
    expect(events.slice(5)).toEqual(['60 s left', 'end']);
  });

  it('does not run while the shell is busy', () => {
    let busy = true;
    const { events } = watch(60 * minuteMs, () => busy);
    vi.advanceTimersByTime(600 * minuteMs);
    expect(events).toEqual([]);
    busy = false;
    vi.advanceTimersByTime(120 * minuteMs);
    expect(events).toEqual(['60 s left', 'end']);
  });

  it.each([
    ['touched', []],
    ['stopped', []],
    ['left alone', ['end']],
  ] as const)('reads input that arrived before the end first, and may then be %s', async (what, end) => {
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const { events, limit } = watch(60 * minuteMs);
    vi.advanceTimersByTime(60 * minuteMs);
    if (what === 'touched') limit.touch();
    if (what === 'stopped') limit.stop();
    await new Promise((resolve) => setImmediate(resolve));
    expect(events).toEqual(['60 s left', ...end]);
  });

  it('of 0 never ends, one of months does not end at once, and a stopped one never ends', () => {
    expect(vi.getTimerCount()).toBe(0);
    watch(0);
    expect(vi.getTimerCount()).toBe(0);
    const { events, limit } = watch(90 * 24 * 60 * minuteMs);
    vi.advanceTimersByTime(80 * 24 * 60 * minuteMs);
    expect(events).toEqual([]);
    limit.stop();
    vi.advanceTimersByTime(80 * 24 * 60 * minuteMs);
    expect(events).toEqual([]);
  });
});
