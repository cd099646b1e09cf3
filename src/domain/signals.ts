/** Signals of which the first counts. */

/** A signal, and the end of waiting for it. */
export interface EitherSignal extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * Returns a signal that is aborted as soon as one of `signals` is. Dispose of it (`using`), so that signals which live
 * longer forget it.
 *
 * It stands in for `AbortSignal.any` where nobody listens to the result and it is only asked: such a result may stay as
 * it is after one of its signals was aborted (seen with Node.js 24.21 under load, in
 * test/ssh/compromisedFront.test.ts).
 */
export function eitherSignal(...signals: readonly AbortSignal[]): EitherSignal {
  const controller = new AbortController();
  const abort = ({ target }: { readonly target: EventTarget | null }): void =>
    controller.abort(target instanceof AbortSignal ? target.reason : undefined);
  const release = (): void => {
    for (const signal of signals) signal.removeEventListener('abort', abort);
  };
  for (const signal of signals) signal.addEventListener('abort', abort);
  const aborted = signals.find((signal) => signal.aborted);
  if (aborted !== undefined) controller.abort(aborted.reason);
  return { signal: controller.signal, [Symbol.dispose]: release };
}
