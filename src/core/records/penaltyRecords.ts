/**
 * The journal's records of penalties. Each penalty has a record of its own, up to a limit a minute. Beyond it only
 * their number is recorded, so that a flood cannot fill the disk.
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
  readonly #maxPerWindow: number;
  readonly #windowMs: number;
  #timer: NodeJS.Timeout | undefined;
  #count = 0;

  constructor({ append, maxPerWindow = 10, windowMs = 60_000 }: PenaltyRecordsOptions) {
    this.#append = append;
    this.#maxPerWindow = maxPerWindow;
    this.#windowMs = windowMs;
  }

  add({ network, why, times, until }: Penalty): void {
    this.#timer ??= setTimeout(() => this.flush(), this.#windowMs).unref();
    if (++this.#count > this.#maxPerWindow) return;
    this.#record({ type: 'penalty', target: network, kind: why, times, until });
  }

  /** Records how many penalties of this window have no record of their own, and begins a new window. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const more = this.#count - this.#maxPerWindow;
    this.#count = 0;
    if (more > 0) this.#record({ type: 'penalties', kind: `${more} more`, more });
  }

  #record(entry: { type: string } & JsonObject): void {
    // A penalty is in force even if it cannot be recorded.
    this.#append(entry).catch(() => undefined);
  }
}
