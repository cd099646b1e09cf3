/**
 * Penalties of sources, as PerSourcePenalties of sshd_config(5). Each connection that ends without a login adds some
 * time to its source. When the sum exceeds `minMs`, the penalty is in force and connections from the source are
 * rejected. Unlike in sshd, each penalty is twice as long as the previous one while that is remembered. Otherwise a
 * source that keeps coming back would be rejected for the same few seconds again and again.
 */
import type { PenaltyReason } from '../domain/access/ban.ts';
import { currentTerm, type Term } from '../domain/values/term.ts';

export interface PenaltyLimits {
  /** Time that one connection adds, by its outcome; 0 adds nothing. */
  readonly failedLoginMs: number;
  readonly noLoginMs: number;
  readonly lateMs: number;
  readonly violationMs: number;
  /** The sum above which a penalty begins, and the longest penalty. */
  readonly minMs: number;
  readonly maxMs: number;
  /** Number of sources remembered. */
  readonly maxSources: number;
  /** Beyond `maxSources`, forget the oldest source, or reject every connection. */
  readonly overflow: 'permissive' | 'deny-all';
}

export interface BegunPenalty {
  readonly source: string;
  readonly why: PenaltyReason;
  /** Number of penalties of the source so far, this one included. */
  readonly times: number;
  readonly untilMs: number;
}

/** The penalties of all sources. Times are milliseconds of the wall clock, because penalties outlive this process. */
export class Penalties {
  readonly #limits: PenaltyLimits;
  /** Until each sum that is not in force yet will have decayed to zero. */
  readonly #waiting = new Map<string, Term>();
  readonly #inForce = new Map<string, Term & { readonly why: PenaltyReason }>();
  /** Number of penalties of each source, kept for `maxMs` after the last one ends. */
  readonly #past = new Map<string, Term & { readonly times: number }>();

  constructor(limits: PenaltyLimits) {
    this.#limits = limits;
  }

  /** Number of sources with a record. */
  get size(): number {
    return new Set([...this.#waiting.keys(), ...this.#inForce.keys(), ...this.#past.keys()]).size;
  }

  /** Restores a penalty from before a restart. */
  restore({ source, why, times, untilMs }: BegunPenalty, nowMs: number): void {
    // If the clock was set back meanwhile, `maxMs` still holds.
    const endMs = Math.min(untilMs, nowMs + this.#limits.maxMs);
    if (endMs > nowMs) this.#put(this.#inForce, source, { why, atMs: nowMs, untilMs: endMs });
    this.#put(this.#past, source, { times, atMs: nowMs, untilMs: endMs + this.#limits.maxMs });
  }

  /** Returns the penalty in force for a source, or `overflow` when too many sources have one. */
  rejection(
    source: string,
    nowMs: number,
  ): { readonly why: PenaltyReason; readonly untilMs: number } | 'overflow' | undefined {
    const found = current(this.#inForce, source, nowMs);
    if (found !== undefined && found.untilMs > nowMs) return { why: found.why, untilMs: found.untilMs };
    if (found !== undefined) this.#inForce.delete(source);
    if (this.#limits.overflow === 'deny-all' && this.#inForce.size >= this.#limits.maxSources) {
      this.#dropExpired(nowMs);
      if (this.#inForce.size >= this.#limits.maxSources) return 'overflow';
    }
    return undefined;
  }

  /** Adds the time for one connection. Returns the penalty if one begins. */
  penalise(source: string, why: PenaltyReason, nowMs: number): BegunPenalty | undefined {
    const { minMs, maxMs } = this.#limits;
    const addedMs = this.#limits[`${why}Ms`];
    if (addedMs === 0) return undefined;
    const inForce = current(this.#inForce, source, nowMs);
    if (inForce !== undefined && inForce.untilMs > nowMs) {
      // The connection was open before the penalty began.
      const untilMs = Math.min(nowMs + maxMs, inForce.untilMs + addedMs);
      this.#put(this.#inForce, source, { why, atMs: nowMs, untilMs });
      return undefined;
    }
    const waiting = current(this.#waiting, source, nowMs);
    const outstandingMs = Math.max(0, (waiting?.untilMs ?? 0) - nowMs) + addedMs;
    if (outstandingMs <= minMs) {
      this.#put(this.#waiting, source, { atMs: nowMs, untilMs: nowMs + outstandingMs });
      return undefined;
    }
    this.#waiting.delete(source);
    const past = current(this.#past, source, nowMs);
    const times = (past !== undefined && past.untilMs > nowMs ? past.times : 0) + 1;
    const untilMs = nowMs + Math.min(maxMs, outstandingMs * 2 ** Math.min(times - 1, 30));
    this.#put(this.#inForce, source, { why, atMs: nowMs, untilMs });
    this.#put(this.#past, source, { times, atMs: nowMs, untilMs: untilMs + maxMs });
    return { source, why, times, untilMs };
  }

  /** Forgets a source and its past. */
  lift(source: string): void {
    for (const map of [this.#waiting, this.#inForce, this.#past]) map.delete(source);
  }

  /** Sets a value and makes it the newest; beyond `maxSources` the oldest is dropped. */
  #put<T>(map: Map<string, T>, source: string, value: T): void {
    map.delete(source);
    map.set(source, value);
    const [oldest] = map.keys();
    if (map.size > this.#limits.maxSources && oldest !== undefined) map.delete(oldest);
  }

  #dropExpired(nowMs: number): void {
    for (const source of [...this.#inForce.keys()])
      if ((current(this.#inForce, source, nowMs)?.untilMs ?? 0) <= nowMs) this.#inForce.delete(source);
  }
}

/** Returns the entry of a source. An entry that begins later than now is kept as one that begins now. */
function current<T extends Term>(entries: Map<string, T>, source: string, nowMs: number): T | undefined {
  const found = entries.get(source);
  if (found === undefined) return undefined;
  const term = currentTerm(found, nowMs);
  if (term !== found) entries.set(source, term);
  return term;
}
