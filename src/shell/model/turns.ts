/** Whose turn it is on a screen: one question, one view or one program at a time, and the rest in order. */
import { Failure } from '../../domain/failure.ts';

/** How many may wait: more than a person types ahead. */
const maxWaiting = 8;

export class Turns {
  readonly #waiting: (() => void)[] = [];
  #isTaken = false;
  #isClosed = false;

  get isTaken(): boolean {
    return this.#isTaken;
  }

  /** Calls `begin` at its turn, which is now if nothing has it, with what ends the turn. Throws `busy` if many wait. */
  take(begin: (end: () => void) => void): void {
    if (this.#isClosed) return;
    if (!this.#isTaken) return this.#start(begin);
    if (this.#waiting.length >= maxWaiting) {
      throw new Failure('busy', {
        what: 'this shell',
        why: `${maxWaiting} other commands wait for the terminal`,
        next: 'end the program or answer the questions, then type it again',
      });
    }
    this.#waiting.push(() => this.#start(begin));
  }

  /** Lets nothing begin any more: what waits never gets its turn. */
  close(): void {
    this.#isClosed = true;
    this.#waiting.length = 0;
  }

  #start(begin: (end: () => void) => void): void {
    this.#isTaken = true;
    let hasEnded = false;
    begin(() => {
      if (hasEnded) return;
      hasEnded = true;
      this.#isTaken = false;
      this.#waiting.shift()?.();
    });
  }
}

/**
 * Suspends at its turn what draws on the terminal, until the program that `handOver` starts gives it back. Rejects if
 * it cannot be suspended.
 */
export function suspendedInTurn<T>(
  turns: Turns,
  suspend: () => Promise<() => unknown>,
  handOver: (resume: () => Promise<void>) => T,
): Promise<T> {
  return new Promise((resolve, reject) => {
    turns.take((end) => {
      const resumed = async (resume: () => unknown): Promise<void> => {
        try {
          await resume();
        } finally {
          end();
        }
      };
      suspend().then(
        (resume) => resolve(handOver(() => resumed(resume))),
        (error: unknown) => {
          end();
          reject(Failure.from(error));
        },
      );
    });
  });
}
