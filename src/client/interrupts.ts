/** What Ctrl-C does while a command runs on a server. */
import { Failure } from '../domain/failure.ts';

export class Interrupts {
  readonly #again = new AbortController();
  readonly #onInterrupt: () => void;
  #question: ((failure: Failure) => void) | undefined;
  #hasInterrupted = false;

  /** The first Ctrl-C ends a question, if one is open, or calls `onInterrupt`. */
  constructor(onInterrupt: () => void) {
    this.#onInterrupt = onInterrupt;
    process.on('SIGINT', this.#interrupt);
  }

  /** Aborts on the second Ctrl-C, for a server that does not end the command. */
  get again(): AbortSignal {
    return this.#again.signal;
  }

  /** Asks a question, with a promise that rejects on a Ctrl-C until it is answered. */
  async during<T>(ask: (interrupted: Promise<never>) => Promise<T>): Promise<T> {
    try {
      return await ask(new Promise((_, reject) => (this.#question = reject)));
    } finally {
      this.#question = undefined;
    }
  }

  stop(): void {
    process.off('SIGINT', this.#interrupt);
  }

  readonly #interrupt = (): void => {
    if (this.#hasInterrupted) this.#again.abort();
    this.#hasInterrupted = true;
    if (this.#question === undefined) return this.#onInterrupt();
    this.#question(new Failure('cancelled', { what: 'the command', why: 'it was interrupted; nothing was changed' }));
  };
}
