/**
 * Limits of pending logins (`ssh.pendingLogins` in src/settings/ssh.ts), as MaxStartups (random early drop) and
 * PerSourceMaxStartups of sshd_config(5). A source that has logged in recently keeps `perSource` reserved slots, so
 * that a flood does not lock out people who work here.
 */
export interface PendingLoginLimits {
  /** Number of pending logins at which random rejection begins. */
  readonly start: number;
  /** Share of connections rejected at `start`, in percent; it grows linearly to 100 at `full`. */
  readonly ratePercent: number;
  /** Number of pending logins at which every connection is rejected. */
  readonly full: number;
  /** Limit for one source; for a source that has logged in recently, the number of its reserved slots. */
  readonly perSource: number;
}

export class PendingLogins {
  readonly #limits: PendingLoginLimits;
  readonly #random: () => number;
  readonly #bySource = new Map<string, number>();
  #total = 0;

  /** `random` returns numbers from 0 to below 1. */
  constructor(limits: PendingLoginLimits, random: () => number = Math.random) {
    this.#limits = limits;
    this.#random = random;
  }

  get total(): number {
    return this.#total;
  }

  /** Number of sources with pending logins; nothing is kept for any other source. */
  get sources(): number {
    return this.#bySource.size;
  }

  /** Returns which limit one more pending login would exceed: the one of its source, or the one for all. */
  rejection(source: string, isKnown: boolean): 'source' | 'all' | undefined {
    const { start, ratePercent, full, perSource } = this.#limits;
    const own = this.#bySource.get(source) ?? 0;
    if (isKnown && own < perSource) return undefined;
    if (!isKnown && own >= perSource) return 'source';
    if (this.#total < start) return undefined;
    if (this.#total >= full) return 'all';
    const percent = ratePercent + ((100 - ratePercent) * (this.#total - start)) / (full - start);
    return this.#random() * 100 < percent ? 'all' : undefined;
  }

  begin(source: string): void {
    this.#total++;
    this.#bySource.set(source, (this.#bySource.get(source) ?? 0) + 1);
  }

  end(source: string): void {
    this.#total--;
    const own = (this.#bySource.get(source) ?? 0) - 1;
    if (own > 0) this.#bySource.set(source, own);
    else this.#bySource.delete(source);
  }
}
