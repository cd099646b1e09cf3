/** What Ctrl-C does while a command runs on a server. */
import { Failure } from '../domain/failure.ts';

export class Interrupts {
  readonly #gaveUp = new AbortController();
  readonly #onInterrupt: () => void;
  #question: ((failure: Failure) => void) | undefined;
  #count = 0;

  /** A Ctrl-C ends a question, if one is open, or calls `onInterrupt`. The server does what the first two mean. */
  constructor(onInterrupt: () => void) {
    this.#onInterrupt = onInterrupt;
    process.on('SIGINT', this.#interrupt);
  }

  /** Aborted by the third Ctrl-C, for a server that does not end the command. */
  get gaveUp(): AbortSignal {
    return this.#gaveUp.signal;
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
    this.#count += 1;
    if (this.#count > 2) this.#gaveUp.abort();
    if (this.#question === undefined) return this.#onInterrupt();
    this.#question(new Failure('cancelled', { what: 'the command', why: 'it was interrupted; nothing was changed' }));
  };
}
