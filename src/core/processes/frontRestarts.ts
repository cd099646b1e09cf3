/** Tells people at their next login that the front was replaced, which explains why their connections were cut. */
import type { Actor } from '../../domain/access/actor.ts';
import type { FrontRestart } from '../../domain/events/notice.ts';
import { dayMs } from '../../domain/values/duration.ts';

/** Age in milliseconds after which a restart is not reported any more. */
const reportedForMs = dayMs;

export class FrontRestarts {
  readonly #now: () => number;
  #latest: { readonly atMs: number; readonly why: FrontRestart['why'] } | undefined;
  /** The people to whom the latest restart was reported; at most everybody in the directory. */
  readonly #notified = new Set<string>();

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  replaced(why: FrontRestart['why']): void {
    this.#latest = { atMs: this.#now(), why };
    this.#notified.clear();
  }

  /** Returns the latest restart, once for each person; null in local mode, which does not use the front. */
  next({ entryPoint, name }: Actor): FrontRestart | null {
    if (this.#latest === undefined || entryPoint === 'local' || this.#now() - this.#latest.atMs > reportedForMs)
      return null;
    const person = `${entryPoint} ${name}`;
    if (this.#notified.has(person)) return null;
    this.#notified.add(person);
    return { at: new Date(this.#latest.atMs).toISOString(), why: this.#latest.why };
  }
}
