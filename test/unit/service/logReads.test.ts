import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { nextLog } from '../../../src/service/logReads.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('a followed log', () => {
  it('is read once a second, however many follow it', async () => {
    const consoleLog = vi.fn((name: string) => Promise.resolve(`log of ${name}`));
    const incus = { consoleLog };
    const logs = Promise.all(Array.from({ length: 1000 }, (_, n) => nextLog(incus, n % 2 === 0 ? 'a' : 'b')));
    await vi.advanceTimersByTimeAsync(1000);
    expect(new Set(await logs)).toEqual(new Set(['log of a', 'log of b']));
    expect(consoleLog).toHaveBeenCalledTimes(2);
    const again = nextLog(incus, 'a');
    await vi.advanceTimersByTimeAsync(1000);
    await again;
    expect(consoleLog).toHaveBeenCalledTimes(3);
  });

  it('that cannot be read tells all who follow it, and is read again for the next', async () => {
    const consoleLog = vi.fn(() => Promise.reject(new Error('gone')));
    const incus = { consoleLog };
    const failures = Promise.allSettled([nextLog(incus, 'a'), nextLog(incus, 'a')]);
    await vi.advanceTimersByTimeAsync(1000);
    expect((await failures).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    consoleLog.mockImplementation(() => Promise.resolve('back') as never);
    const next = nextLog(incus, 'a');
    await vi.advanceTimersByTimeAsync(1000);
    expect(await next).toBe('back');
  });
});
