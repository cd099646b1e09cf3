/**
 * What a program in a terminal prints, on its way to whoever shows it: kept back until somebody listens, and while they
 * want nothing.
 */

/** Where it comes from, and how that is stopped: what is kept here stays a handful of pieces. */
export interface OutputSource {
  pause(): void;
  resume(): void;
}

export class TerminalOutput {
  readonly #source: OutputSource;
  readonly #ended = Promise.withResolvers<undefined>();
  #listener: ((data: Buffer) => void) | undefined;
  #held: Buffer[] = [];
  #isPaused = false;
  #isComplete = false;
  #isDiscarded = false;

  constructor(source: OutputSource) {
    this.#source = source;
  }

  /** Resolves when all of it was given to the listener, or is wanted by nobody any more. */
  get ended(): Promise<undefined> {
    return this.#ended.promise;
  }

  #flows(): boolean {
    return this.#listener !== undefined && !this.#isPaused;
  }

  /** The next piece. */
  add(data: Buffer): void {
    if (this.#isDiscarded || this.#isComplete) return;
    // What was read before the source came to a stop goes behind what is kept already.
    if (this.#listener !== undefined && this.#flows() && this.#held.length === 0) return this.#listener(data);
    this.#held.push(data);
    this.#source.pause();
  }

  /** There is no more. */
  complete(): void {
    this.#isComplete = true;
    if (this.#held.length === 0) this.#ended.resolve(undefined);
  }

  /** Sets the one listener. */
  listen(listener: (data: Buffer) => void): void {
    this.#listener = listener;
    this.#flow();
  }

  /** Nothing is given to the listener after this returns, until {@link resume}. */
  pause(): void {
    this.#isPaused = true;
    this.#source.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#flow();
  }

  /** Nobody wants it any more. */
  discard(): void {
    this.#isDiscarded = true;
    this.#held = [];
    this.#ended.resolve(undefined);
  }

  #flow(): void {
    // The listener may pause in the middle.
    while (this.#listener !== undefined && this.#flows()) {
      const data = this.#held.shift();
      if (data === undefined) break;
      this.#listener(data);
    }
    if (!this.#flows() || this.#held.length > 0) return;
    if (this.#isComplete) this.#ended.resolve(undefined);
    else this.#source.resume();
  }
}
