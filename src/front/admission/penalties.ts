/**
 * What a source has done before it logged in, and for how long it is refused for that: sshd_config(5),
 * PerSourcePenalties. Each connection that ends without a login adds some time; what adds up to more than `minMs` is in
 * force. Beyond sshd, a penalty is twice as long as the one before it, for as long as that is remembered: without this
 * a source that comes back is refused the same few seconds again and again.
 */
import type { PenaltyReason } from '../../domain/access/ban.ts';

export interface PenaltyLimits {
  /** What one connection adds, in milliseconds. */
  readonly failedLoginMs: number;
  readonly noLoginMs: number;
  readonly lateMs: number;
  readonly violationMs: number;
  /** What has to add up before anything is refused, and the longest penalty. */
  readonly minMs: number;
  readonly maxMs: number;
  /** Sources that are remembered. */
  readonly maxSources: number;
  /** When there are more: the oldest are forgotten, or nobody is let in. */
  readonly overflow: 'permissive' | 'deny-all';
}

export interface BegunPenalty {
  readonly source: string;
  readonly why: PenaltyReason;
  readonly times: number;
  readonly untilMs: number;
}

/** Times are milliseconds of the wall clock, because penalties outlast this process. */
export class Penalties {
  readonly #limits: PenaltyLimits;
  /** Adding up, not yet in force. */
  readonly #waiting = new Map<string, number>();
  readonly #inForce = new Map<string, { readonly why: PenaltyReason; readonly untilMs: number }>();
  /** How often there was one, for as long after its end as the longest takes. */
  readonly #past = new Map<string, { readonly times: number; readonly forgetMs: number }>();

  constructor(limits: PenaltyLimits) {
    this.#limits = limits;
  }

  /** Sources that anything is known of. */
  get size(): number {
    return new Set([...this.#waiting.keys(), ...this.#inForce.keys(), ...this.#past.keys()]).size;
  }

  /** Takes over one that began before. */
  restore({ source, why, times, untilMs }: BegunPenalty, nowMs: number): void {
    // A clock that was set back makes none longer than it may be.
    const endMs = Math.min(untilMs, nowMs + this.#limits.maxMs);
    if (endMs > nowMs) this.#put(this.#inForce, source, { why, untilMs: endMs });
    this.#put(this.#past, source, { times, forgetMs: endMs + this.#limits.maxMs });
  }

  /** The penalty that keeps a source out, or that too many sources have one. */
  refusal(
    source: string,
    nowMs: number,
  ): { readonly why: PenaltyReason; readonly untilMs: number } | 'overflow' | undefined {
    const found = this.#inForce.get(source);
    if (found !== undefined && found.untilMs > nowMs) return found;
    if (found !== undefined) this.#inForce.delete(source);
    if (this.#limits.overflow === 'deny-all' && this.#inForce.size >= this.#limits.maxSources) {
      this.#dropExpired(nowMs);
      if (this.#inForce.size >= this.#limits.maxSources) return 'overflow';
    }
    return undefined;
  }

  /** Adds what a connection has deserved. Returns the penalty that begins with it. */
  penalise(source: string, why: PenaltyReason, nowMs: number): BegunPenalty | undefined {
    const { minMs, maxMs } = this.#limits;
    const addedMs = this.#limits[`${why}Ms`];
    if (addedMs === 0) return undefined;
    const inForce = this.#inForce.get(source);
    if (inForce !== undefined && inForce.untilMs > nowMs) {
      // Of a connection that was open before it began.
      this.#put(this.#inForce, source, { why, untilMs: Math.min(nowMs + maxMs, inForce.untilMs + addedMs) });
      return undefined;
    }
    const outstandingMs = Math.max(0, (this.#waiting.get(source) ?? 0) - nowMs) + addedMs;
    if (outstandingMs <= minMs) {
      this.#put(this.#waiting, source, nowMs + outstandingMs);
      return undefined;
    }
    this.#waiting.delete(source);
    const past = this.#past.get(source);
    const times = (past !== undefined && past.forgetMs > nowMs ? past.times : 0) + 1;
    const untilMs = nowMs + Math.min(maxMs, outstandingMs * 2 ** Math.min(times - 1, 30));
    this.#put(this.#inForce, source, { why, untilMs });
    this.#put(this.#past, source, { times, forgetMs: untilMs + maxMs });
    return { source, why, times, untilMs };
  }

  /** Forgets a source, with all it has done. */
  lift(source: string): void {
    for (const map of [this.#waiting, this.#inForce, this.#past]) map.delete(source);
  }

  /** Whoever did something last is forgotten last. */
  #put<T>(map: Map<string, T>, source: string, value: T): void {
    map.delete(source);
    map.set(source, value);
    const [oldest] = map.keys();
    if (map.size > this.#limits.maxSources && oldest !== undefined) map.delete(oldest);
  }

  #dropExpired(nowMs: number): void {
    for (const [source, { untilMs }] of this.#inForce) if (untilMs <= nowMs) this.#inForce.delete(source);
  }
}
