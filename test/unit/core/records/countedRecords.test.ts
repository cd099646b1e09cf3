import { afterEach, describe, expect, it, vi } from 'vitest';
import { CountedRecords } from '../../../../src/core/records/countedRecords.ts';
import { Failure } from '../../../../src/domain/failure.ts';

describe('a sum of events', () => {
  afterEach(() => void vi.useRealTimers());

  const made = (append: () => Promise<unknown>) =>
    new CountedRecords<'event'>({ append, now: Date.now, record: ({ count }) => ({ type: 'events', count }) });

  it('that its timer is writing is on disk when flush resolves', async () => {
    vi.useFakeTimers();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const sums = made(() => promise);
    sums.add('event', 1, undefined);
    await vi.advanceTimersByTimeAsync(0);
    let isFlushed = false;
    const flushed = sums.flush().then(() => (isFlushed = true));
    await vi.advanceTimersByTimeAsync(0);
    expect(isFlushed).toBe(false);
    resolve(undefined);
    await flushed;
  });

  it('that could not be written fails the flush that waits for it, and no later one', async () => {
    vi.useFakeTimers();
    const { promise, reject } = Promise.withResolvers<undefined>();
    const sums = made(() => promise);
    sums.add('event', 1, undefined);
    await vi.advanceTimersByTimeAsync(0);
    const flushed = sums.flush();
    reject(new Failure('journal-unwritable', { what: 'the journal', why: 'the disk is full' }));
    await expect(flushed).rejects.toThrow('the disk is full');
    await sums.flush();
  });
});
