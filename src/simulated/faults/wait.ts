/** Waits for a time, or until a signal aborts. */
import { setTimeout as delay } from 'node:timers/promises';

export type Wait = (ms: number, signal?: AbortSignal) => Promise<'passed' | 'aborted'>;

export const wait: Wait = async (ms, signal) => {
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
    return 'passed';
  } catch (error) {
    if (signal?.aborted) return 'aborted';
    throw error;
  }
};
