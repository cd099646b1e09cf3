/** The output of a program in a terminal, held back until there is a listener and while the listener pauses it. */

/** The source of the output. Pausing it keeps the buffer here to a few pieces. */
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

  /** Resolves when all output was delivered or discarded. */
  get ended(): Promise<undefined> {
    return this.#ended.promise;
  }

  #isFlowing(): boolean {
    return this.#listener !== undefined && !this.#isPaused;
  }

  /** Delivers or buffers the next piece. */
  add(data: Buffer): void {
    if (this.#isDiscarded || this.#isComplete) return;
    // A piece that was read before the source stopped goes behind the buffered ones.
    if (this.#listener !== undefined && this.#isFlowing() && this.#held.length === 0) return this.#listener(data);
    this.#held.push(data);
    this.#source.pause();
  }

  /** Marks the end of the output. */
  complete(): void {
    this.#isComplete = true;
    if (this.#held.length === 0) this.#ended.resolve(undefined);
  }

  /** Sets the one listener. */
  listen(listener: (data: Buffer) => void): void {
    this.#listener = listener;
    this.#deliver();
  }

  /** Stops delivery at once, until {@link resume}. */
  pause(): void {
    this.#isPaused = true;
    this.#source.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#deliver();
  }

  /** Drops the buffered output and all that follows. */
  discard(): void {
    this.#isDiscarded = true;
    this.#held = [];
    this.#ended.resolve(undefined);
  }

  #deliver(): void {
    // The listener may pause in this loop.
    while (this.#listener !== undefined && this.#isFlowing()) {
      const data = this.#held.shift();
      if (data === undefined) break;
      this.#listener(data);
    }
    if (!this.#isFlowing() || this.#held.length > 0) return;
    if (this.#isComplete) this.#ended.resolve(undefined);
    else this.#source.resume();
  }
}
