/** The numbered stages of an operation, with elapsed times. */
import type { Progress } from './context.ts';

export class Stages {
  readonly #progress: Progress;
  readonly #total: number;
  readonly #done: { title: string; elapsedMs: number }[] = [];
  #index = 0;

  constructor(progress: Progress, total: number) {
    this.#progress = progress;
    this.#total = total;
  }

  /** The finished stages, with elapsed milliseconds. */
  get done(): readonly { title: string; elapsedMs: number }[] {
    return this.#done;
  }

  /** Runs one stage. If `act` returns a text, it is shown beside the finished stage. */
  async stage(title: string, act: () => Promise<unknown>): Promise<void> {
    const index = ++this.#index;
    const startedMs = performance.now();
    const event = { index, total: this.#total, title };
    this.#progress.step({ ...event, state: 'begun', elapsedMs: 0 });
    try {
      const detail = await act();
      const elapsedMs = Math.round(performance.now() - startedMs);
      this.#done.push({ title, elapsedMs });
      this.#progress.step({ ...event, state: 'done', elapsedMs, ...(typeof detail === 'string' ? { detail } : {}) });
    } catch (error) {
      this.#progress.step({ ...event, state: 'failed', elapsedMs: Math.round(performance.now() - startedMs) });
      throw error;
    }
  }
}
