/**
 * Things that a client can make happen as often as it likes, as the journal keeps them: added up to at most one record
 * a minute, of a size that has a limit.
 */
import type { JsonObject } from '../../domain/json.ts';

/** What was added up since the last record. */
export interface Sum<Kind extends string> {
  readonly since: string;
  readonly count: number;
  readonly kinds: Readonly<Partial<Record<Kind, number>>>;
  /** How many different ones did it; with more than can be told apart this is the least there were. */
  readonly who: number;
  /** Events of those who were not told apart any more. */
  readonly unlisted: number;
  /** Those who did it most, each with their count. */
  readonly top: readonly JsonObject[];
}

export interface CountedRecordsOptions<Kind extends string> {
  readonly append: (entry: { type: string } & JsonObject) => Promise<unknown>;
  readonly now: () => number;
  readonly everyMs?: number | undefined;
  readonly record: (sum: Sum<Kind>) => { type: string } & JsonObject;
}

const defaultEveryMs = 60_000;
/** Those who are told apart in one record's time; further ones count, without a name. */
const maxTold = 4096;
/** Those whom a record names. */
const maxNamed = 10;

export class CountedRecords<Kind extends string> {
  readonly #options: CountedRecordsOptions<Kind>;
  readonly #everyMs: number;
  readonly #who = new Map<string, { readonly shown: JsonObject; count: number }>();
  readonly #kinds = new Map<Kind, number>();
  #count = 0;
  #unlisted = 0;
  #sinceMs = 0;
  #writtenMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: CountedRecordsOptions<Kind>) {
    this.#options = options;
    this.#everyMs = options.everyMs ?? defaultEveryMs;
  }

  /** `who` is how the record shows whoever did it; undefined where that is not known. */
  add(kind: Kind, count: number, who: JsonObject | undefined): void {
    if (this.#count === 0) this.#sinceMs = this.#options.now();
    this.#count = sum(this.#count, count);
    this.#kinds.set(kind, sum(this.#kinds.get(kind) ?? 0, count));
    const key = JSON.stringify(who ?? null);
    const found = this.#who.get(key);
    if (found !== undefined) found.count = sum(found.count, count);
    else if (who !== undefined && this.#who.size < maxTold) this.#who.set(key, { shown: who, count });
    else this.#unlisted = sum(this.#unlisted, count);
    if (this.#timer !== undefined) return;
    // The first after a quiet time is recorded soon, all that follow with the next minute's.
    const waitMs = Math.max(0, this.#writtenMs + this.#everyMs - this.#options.now());
    this.#timer = setTimeout(() => void this.flush().catch(() => undefined), waitMs).unref();
  }

  /** Records what was added up. Rejects where the journal does. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#count === 0) return;
    const top = [...this.#who.values()].sort((one, other) => other.count - one.count).slice(0, maxNamed);
    const record = this.#options.record({
      since: new Date(this.#sinceMs).toISOString(),
      count: this.#count,
      kinds: Object.fromEntries(this.#kinds) as Partial<Record<Kind, number>>,
      who: this.#who.size,
      unlisted: this.#unlisted,
      top: top.map(({ shown, count }) => ({ ...shown, count })),
    });
    this.#writtenMs = this.#options.now();
    this.#who.clear();
    this.#kinds.clear();
    this.#count = 0;
    this.#unlisted = 0;
    await this.#options.append(record);
  }
}

function sum(one: number, other: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, one + other);
}
