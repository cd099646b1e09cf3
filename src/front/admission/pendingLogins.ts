/**
 * Connections that have not logged in yet, and how many of them there may be: sshd_config(5), MaxStartups (random early
 * drop) and PerSourceMaxStartups. A source that has logged in lately keeps a place of its own, so that a flood does not
 * keep out who works here.
 */
export interface PendingLoginLimits {
  /** From so many on, some are refused. */
  readonly start: number;
  /** Of those, so many of a hundred; with more connections more, up to all at `full`. */
  readonly ratePercent: number;
  readonly full: number;
  /** For each source. */
  readonly perSource: number;
}

export class PendingLogins {
  readonly #limits: PendingLoginLimits;
  readonly #random: () => number;
  readonly #bySource = new Map<string, number>();
  #total = 0;

  /** `random` gives numbers from 0 to below 1. */
  constructor(limits: PendingLoginLimits, random: () => number = Math.random) {
    this.#limits = limits;
    this.#random = random;
  }

  get total(): number {
    return this.#total;
  }

  /** Sources that any of them come from; of others nothing is kept. */
  get sources(): number {
    return this.#bySource.size;
  }

  /** Why one more is too many: for its source, or for all. */
  refusal(source: string, isKnown: boolean): 'source' | 'all' | undefined {
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
