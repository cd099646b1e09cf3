/**
 * The journal's records of penalties: one each, and of many in a minute only their number, so that a flood of them
 * cannot fill a disk.
 */
import type { Penalty } from '../../domain/access/ban.ts';
import type { JsonObject } from '../../domain/json.ts';

export interface PenaltyRecordsOptions {
  readonly append: (entry: { type: string } & JsonObject) => Promise<unknown>;
  readonly maxPerWindow?: number;
  readonly windowMs?: number;
}

export class PenaltyRecords {
  readonly #append: PenaltyRecordsOptions['append'];
  readonly #most: number;
  readonly #windowMs: number;
  #timer: NodeJS.Timeout | undefined;
  #count = 0;

  constructor({ append, maxPerWindow = 10, windowMs = 60_000 }: PenaltyRecordsOptions) {
    this.#append = append;
    this.#most = maxPerWindow;
    this.#windowMs = windowMs;
  }

  add({ network, why, times, until }: Penalty): void {
    this.#timer ??= setTimeout(() => this.flush(), this.#windowMs).unref();
    if (++this.#count > this.#most) return;
    this.#record({ type: 'penalty', target: network, kind: why, times, until });
  }

  /** Records how many there were beside those that have a record. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const more = this.#count - this.#most;
    this.#count = 0;
    if (more > 0) this.#record({ type: 'penalties', kind: `${more} more`, more });
  }

  #record(entry: { type: string } & JsonObject): void {
    // What cannot be recorded is in force all the same.
    this.#append(entry).catch(() => undefined);
  }
}
