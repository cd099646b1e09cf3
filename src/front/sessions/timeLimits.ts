/** How long a shell may be idle and a login may last. Both warn before they end anything. */

/** How long before the end there is a warning: a minute, or a tenth of a limit that is shorter than ten. */
export function warningMs(limitMs: number): number {
  return Math.min(60_000, Math.floor(limitMs / 10));
}

/** The longest that a timer of Node.js can wait, in milliseconds; with more it would end at once. */
const maxWaitMs = 2 ** 31 - 1;

export interface TimeLimitOptions {
  /** 0: never. */
  readonly limitMs: number;
  /** Called once for each time that the end is near, with what is left. */
  readonly warn: (leftMs: number) => void;
  readonly end: () => void;
  /** While this holds, time does not pass. */
  readonly isBusy?: () => boolean;
}

/**
 * Ends something after a time in which nobody touched it. A touch costs no timer: only when one ends is looked when the
 * last was.
 */
export class TimeLimit {
  readonly #options: TimeLimitOptions;
  #sinceMs = performance.now();
  #isWarned = false;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: TimeLimitOptions) {
    this.#options = options;
    if (options.limitMs > 0) this.#wait(options.limitMs - warningMs(options.limitMs));
  }

  touch(): void {
    this.#sinceMs = performance.now();
    this.#isWarned = false;
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => this.#look(), Math.min(Math.max(ms, 1), maxWaitMs)).unref();
  }

  /** `hasRead`: since the time was over, what had arrived was read. */
  #look(hasRead = false): void {
    if (this.#isStopped) return;
    const { limitMs, warn, end, isBusy } = this.#options;
    if (isBusy?.() === true) this.touch();
    const leftMs = limitMs - (performance.now() - this.#sinceMs);
    if (leftMs <= 0) {
      // Where the whole machine stood still, a timer comes before what was typed meanwhile.
      if (!hasRead) setImmediate(() => this.#look(true));
      else end();
      return;
    }
    const untilWarningMs = leftMs - warningMs(limitMs);
    if (untilWarningMs > 0) return this.#wait(untilWarningMs);
    if (!this.#isWarned) {
      this.#isWarned = true;
      warn(leftMs);
    }
    this.#wait(leftMs);
  }
}
