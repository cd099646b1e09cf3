/** Time limits of idle shells and of logins. Both warn before the end. */

/** Returns how long before the end the warning comes: a minute, or a tenth of a limit below ten minutes. */
export function warningMs(limitMs: number): number {
  return Math.min(60_000, Math.floor(limitMs / 10));
}

/** Longest delay of a Node.js timer, in milliseconds. A timer with a longer delay fires at once. */
const maxWaitMs = 2 ** 31 - 1;

export interface TimeLimitOptions {
  /** 0 means no limit. */
  readonly limitMs: number;
  /** Called with the remaining time, once each time the end is near. */
  readonly warn: (leftMs: number) => void;
  readonly end: () => void;
  /** While this returns true, the limit does not run. */
  readonly isBusy?: () => boolean;
}

/**
 * Calls `end` after a time without {@link touch}. A touch only notes the time, and the timer checks it when it fires.
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

  /** Restarts the time. */
  touch(): void {
    this.#sinceMs = performance.now();
    this.#isWarned = false;
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => this.#check(), Math.min(Math.max(ms, 1), maxWaitMs)).unref();
  }

  /** `hasReadInput`: input that arrived before the end has been read since the time ran out. */
  #check(hasReadInput = false): void {
    if (this.#isStopped) return;
    const { limitMs, warn, end, isBusy } = this.#options;
    if (isBusy?.() === true) this.touch();
    const leftMs = limitMs - (performance.now() - this.#sinceMs);
    if (leftMs <= 0) {
      // After a pause of the whole machine, timers run before the input that arrived meanwhile is read.
      if (!hasReadInput) setImmediate(() => this.#check(true));
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
