/**
 * Journal records of events that a client can cause as often as it likes: summed up, at most one a minute, each of
 * limited size.
 */
import type { JsonObject } from '../../domain/json.ts';

/** The sum of all events since the last record. */
export interface Sum<Kind extends string> {
  readonly since: string;
  readonly count: number;
  readonly kinds: Readonly<Partial<Record<Kind, number>>>;
  /** Number of distinct sources; a lower bound once {@link maxDistinct} is reached. */
  readonly distinct: number;
  /** Number of events whose source is unknown or beyond {@link maxDistinct}. */
  readonly unlisted: number;
  /** The most frequent sources, each with its count. */
  readonly top: readonly JsonObject[];
}

export interface CountedRecordsOptions<Kind extends string> {
  readonly append: (entry: { type: string } & JsonObject) => Promise<unknown>;
  readonly now: () => number;
  readonly everyMs?: number | undefined;
  readonly record: (sum: Sum<Kind>) => { type: string } & JsonObject;
}

const defaultEveryMs = 60_000;
/** Number of sources that one record tells apart. Events of further sources only add to the total. */
const maxDistinct = 4096;
/** Number of sources that one record names. */
const maxNamed = 10;

export class CountedRecords<Kind extends string> {
  readonly #options: CountedRecordsOptions<Kind>;
  readonly #everyMs: number;
  readonly #sources = new Map<string, { readonly shown: JsonObject; count: number }>();
  readonly #kinds = new Map<Kind, number>();
  #count = 0;
  #unlisted = 0;
  #sinceMs = 0;
  #writtenMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  readonly #writes = new Set<Promise<unknown>>();

  constructor(options: CountedRecordsOptions<Kind>) {
    this.#options = options;
    this.#everyMs = options.everyMs ?? defaultEveryMs;
  }

  /** Adds events. `source` is the form in which the record shows their source; undefined if it is unknown. */
  add(kind: Kind, count: number, source: JsonObject | undefined): void {
    if (this.#count === 0) this.#sinceMs = this.#options.now();
    this.#count = sum(this.#count, count);
    this.#kinds.set(kind, sum(this.#kinds.get(kind) ?? 0, count));
    const key = JSON.stringify(source ?? null);
    const found = this.#sources.get(key);
    if (found !== undefined) found.count = sum(found.count, count);
    else if (source !== undefined && this.#sources.size < maxDistinct) this.#sources.set(key, { shown: source, count });
    else this.#unlisted = sum(this.#unlisted, count);
    if (this.#timer !== undefined) return;
    // The first event after a quiet minute is recorded at once, those that follow with the next record.
    // If the clock was set back, it is still no longer than a period.
    const waitMs = Math.min(this.#everyMs, Math.max(0, this.#writtenMs + this.#everyMs - this.#options.now()));
    this.#timer = setTimeout(() => void this.flush().catch(() => undefined), waitMs).unref();
  }

  /** Writes the current sum to the journal, and waits for one that is being written. Rejects if the journal does. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await Promise.all([...this.#writes, ...(this.#count === 0 ? [] : [this.#write()])]);
  }

  async #write(): Promise<void> {
    const top = [...this.#sources.values()].sort((a, b) => b.count - a.count).slice(0, maxNamed);
    const record = this.#options.record({
      since: new Date(this.#sinceMs).toISOString(),
      count: this.#count,
      kinds: Object.fromEntries(this.#kinds) as Partial<Record<Kind, number>>,
      distinct: this.#sources.size,
      unlisted: this.#unlisted,
      top: top.map(({ shown, count }) => ({ ...shown, count })),
    });
    this.#writtenMs = this.#options.now();
    this.discard();
    const write = this.#options.append(record);
    this.#writes.add(write);
    await write.finally(() => this.#writes.delete(write));
  }

  /** Forgets the current sum. */
  discard(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sources.clear();
    this.#kinds.clear();
    this.#count = 0;
    this.#unlisted = 0;
  }
}

function sum(a: number, b: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, a + b);
}
