/** Whether the caller has cancelled the running change, through all that it awaits (AsyncLocalStorage of Node.js). */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Failure } from './failure.ts';

interface Cancellation {
  readonly signal: AbortSignal;
  /** What would be cancelled, for the failure: `"create alice"`. */
  readonly what: string;
}

const cancellations = new AsyncLocalStorage<Cancellation | undefined>();

/** Runs a change that ends, and is undone, when the signal is aborted. */
export function cancellable<T>(cancellation: Cancellation | undefined, work: () => T): T {
  return cancellations.run(cancellation, work);
}

/** Runs what must come to its end, such as an undo, although the change was cancelled. */
export function toItsEnd<T>(work: () => T): T {
  return cancellations.run(undefined, work);
}

/** Returns the signal of the running change; undefined if nobody can cancel it. */
export function presentCancellation(): AbortSignal | undefined {
  return cancellations.getStore()?.signal;
}

/** Returns a signal that is aborted after a time in milliseconds, or when the running change is cancelled. */
export function within(ms: number): AbortSignal {
  const signal = presentCancellation();
  const limit = AbortSignal.timeout(ms);
  return signal === undefined ? limit : AbortSignal.any([limit, signal]);
}

/** Throws `cancelled` if the running change was cancelled. */
export function throwIfCancelled(): void {
  if (presentCancellation()?.aborted === true) throw cancelled();
}

/** Waits for work that others wait for too. Rejects with `cancelled` as soon as the running change is cancelled. */
export async function orCancelled<T>(work: Promise<T>): Promise<T> {
  const signal = presentCancellation();
  if (signal === undefined) return work;
  throwIfCancelled();
  const { promise, reject } = Promise.withResolvers<never>();
  const cancel = (): void => reject(cancelled());
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

function cancelled(): Failure {
  const what = cancellations.getStore()?.what ?? 'the call';
  return new Failure('cancelled', { what, why: 'it was cancelled before it changed anything' });
}
