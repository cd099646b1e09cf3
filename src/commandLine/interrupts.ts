/**
 * What Ctrl-C does to a command. The first one stops a verb that reads, and cancels a change that can be cancelled. A
 * second one leaves a change running, without its caller.
 */
export class Interrupts {
  readonly #first = new AbortController();
  readonly #second = new AbortController();

  /** Aborted by the first Ctrl-C. */
  get first(): AbortSignal {
    return this.#first.signal;
  }

  /** Aborted by the second Ctrl-C. */
  get second(): AbortSignal {
    return this.#second.signal;
  }

  press(): void {
    if (this.#first.signal.aborted) this.#second.abort();
    else this.#first.abort();
  }
}
