/** Long work with the same result for all who ask: one run at a time, and one more that all others wait for. */

interface Shared<T> {
  readonly controller: AbortController;
  readonly result: Promise<T>;
  askers: number;
}

export class SharedRuns<T> {
  readonly #work: (signal: AbortSignal) => Promise<T>;
  #last: Promise<unknown> = Promise.resolve();
  /** The run that has not begun yet. */
  #next: Shared<T> | undefined;

  constructor(work: (signal: AbortSignal) => Promise<T>) {
    this.#work = work;
  }

  /**
   * Resolves with the result of a run that begins after this call, so that it is never older than the question. Rejects
   * with the signal's reason. A run for which nobody waits any more is aborted.
   */
  ask(signal?: AbortSignal): Promise<T> {
    const shared = (this.#next ??= this.#queue());
    shared.askers++;
    if (signal === undefined) return shared.result;
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        reject(signal.reason as Error);
        if (--shared.askers > 0) return;
        shared.controller.abort();
        if (this.#next === shared) this.#next = undefined;
      };
      if (signal.aborted) return leave();
      signal.addEventListener('abort', leave, { once: true });
      shared.result.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
    });
  }

  #queue(): Shared<T> {
    const controller = new AbortController();
    const result = this.#last.then(() => {
      if (this.#next?.controller === controller) this.#next = undefined;
      controller.signal.throwIfAborted();
      return this.#work(controller.signal);
    });
    this.#last = result.catch(() => undefined);
    return { controller, result, askers: 0 };
  }
}
