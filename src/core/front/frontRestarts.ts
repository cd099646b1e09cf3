/**
 * That the front was replaced, for whoever logs in after it: their sessions were cut, and nobody else tells them why.
 */
import type { Actor } from '../../domain/access/actor.ts';
import type { FrontRestart } from '../../domain/events/notice.ts';

/** Older than this, in milliseconds, it is no news. */
const newsMs = 24 * 60 * 60_000;

export class FrontRestarts {
  readonly #now: () => number;
  #latest: { readonly atMs: number; readonly why: FrontRestart['why'] } | undefined;
  /** Who has heard of it: as many as there are people whom core knows. */
  readonly #told = new Set<string>();

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  replaced(why: FrontRestart['why']): void {
    this.#latest = { atMs: this.#now(), why };
    this.#told.clear();
  }

  /** The latest restart, for each person once; for nobody on the host itself, who does not come through the front. */
  next({ entryPoint, name }: Actor): FrontRestart | null {
    if (this.#latest === undefined || entryPoint === 'local' || this.#now() - this.#latest.atMs > newsMs) return null;
    const who = `${entryPoint} ${name}`;
    if (this.#told.has(who)) return null;
    this.#told.add(who);
    return { at: new Date(this.#latest.atMs).toISOString(), why: this.#latest.why };
  }
}
