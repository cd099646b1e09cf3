/** Keeps the newest of many records, so that a search needs room for its answer and not for all that it finds. */
import type { JournalRecord } from './chain.ts';

export interface RecordLimits {
  readonly records: number;
  /** Bytes of the lines of the records. The oldest record that is kept may be the one that exceeds them. */
  readonly bytes: number;
}

interface Kept {
  readonly record: JournalRecord;
  readonly bytes: number;
}

export class NewestRecords {
  readonly #limits: RecordLimits;
  #kept: Kept[] = [];
  #bytes = 0;

  constructor(limits: RecordLimits) {
    this.#limits = limits;
  }

  /** Number of records in memory. */
  get held(): number {
    return this.#kept.length;
  }

  /** Adds a record that is newer than those before. */
  add(record: JournalRecord, bytes: number): void {
    this.#kept.push({ record, bytes });
    this.#bytes += bytes;
    if (this.#kept.length >= 2 * this.#limits.records || this.#bytes > 2 * this.#limits.bytes) this.#trim();
  }

  /** Returns the newest records, the oldest first, and what of the limits they leave. */
  end(): { readonly records: readonly JournalRecord[]; readonly left: RecordLimits } {
    this.#trim();
    const left = { records: this.#limits.records - this.#kept.length, bytes: this.#limits.bytes - this.#bytes };
    return { records: this.#kept.map(({ record }) => record), left };
  }

  #trim(): void {
    let first = this.#kept.length;
    let bytes = 0;
    while (first > 0 && this.#kept.length - first < this.#limits.records && bytes <= this.#limits.bytes) {
      first--;
      bytes += this.#kept[first]?.bytes ?? 0;
    }
    this.#kept = this.#kept.slice(first);
    this.#bytes = bytes;
  }
}
