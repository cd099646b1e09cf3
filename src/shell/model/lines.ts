/** The lines of one shell: those that run, those that wait for one another, and the exit code of the last one. */
import { exitCodes } from '../../domain/failure.ts';

export class Lines {
  readonly #run: (line: string) => Promise<number | undefined>;
  readonly #turn: () => Promise<void>;
  #running = 0;
  readonly #waiting: string[] = [];
  #isInOrder = false;
  /** The line that was begun last. */
  #begun: Promise<unknown> = Promise.resolve();
  /** Numbers the lines: several may run at once, and the last one typed need not be the last that ends. */
  #count = 0;
  #last = 0;
  #code: number = exitCodes.ok;
  #listeners: (() => void)[] = [];

  /**
   * `run` runs one line. Never rejects. Resolves with no exit code for a line that runs nothing, such as `exit`. `turn`
   * resolves in a later turn of the event loop, in which the next of several lines may run.
   */
  constructor(run: (line: string) => Promise<number | undefined>, turn: () => Promise<void>) {
    this.#run = run;
    this.#turn = turn;
  }

  /** The exit code of the last line among those that have ended. */
  get exitCode(): number {
    return this.#code;
  }

  get areWorking(): boolean {
    return this.#running > 0 || this.#waiting.length > 0;
  }

  /** Resolves when no line runs or waits. */
  async ended(): Promise<void> {
    while (this.areWorking) await new Promise<void>((resolve) => this.#listeners.push(resolve));
  }

  /** Runs a line at once. Resolves with its exit code. */
  run(line: string): Promise<number> {
    const run = this.#runOne(line);
    this.#begun = run;
    return run;
  }

  /** Runs a line after the one that was begun last, and after those that wait. */
  runNext(line: string): void {
    this.#waiting.push(line);
    if (!this.#isInOrder) void this.#runWaiting(this.#begun);
  }

  async #runOne(line: string): Promise<number> {
    const number = ++this.#count;
    this.#running++;
    try {
      const code = await this.#run(line);
      if (code !== undefined && number > this.#last) {
        this.#last = number;
        this.#code = code;
      }
      return code ?? this.#code;
    } finally {
      this.#running--;
      this.#tell();
    }
  }

  /** Runs lines one after the other. Lines of a later call wait for these. */
  runInOrder(lines: readonly string[]): void {
    for (const line of lines) this.#waiting.push(line);
    if (!this.#isInOrder) void this.#runWaiting();
  }

  /** Drops the lines that wait. Returns their number. */
  drop(): number {
    const dropped = this.#waiting.splice(0).length;
    this.#tell();
    return dropped;
  }

  #tell(): void {
    for (const ended of this.#listeners.splice(0)) ended();
  }

  async #runWaiting(before?: Promise<unknown>): Promise<void> {
    this.#isInOrder = true;
    await before;
    for (let line = this.#waiting.shift(); line !== undefined; line = this.#waiting.shift()) {
      await this.run(line);
      // A line that is no command ends without I/O: hundreds of them would block the event loop, and Ctrl-C with it.
      await this.#turn();
    }
    this.#isInOrder = false;
  }
}
