/**
 * Refused logins as the journal keeps them: added up to at most one record a minute, of a size that has a limit, whatever the front reports. A
 * front that was taken over can make the figures wrong; it can neither choose the form of a record nor how many there are.
 */
import type { RefusalReason, RefusalReport } from '../domain/refusal.ts';
import type { JsonObject } from '../domain/json.ts';

export interface RefusalRecordsOptions {
  readonly append: (entry: { type: string } & JsonObject) => Promise<unknown>;
  readonly now: () => number;
  readonly everyMs?: number;
}

const defaultEveryMs = 60_000;
/** Sources that are told apart in one record's time; further ones count, without a name. */
const mostSources = 4096;
/** Sources that a record names. */
const topSources = 10;

export class RefusalRecords {
  readonly #options: RefusalRecordsOptions;
  readonly #everyMs: number;
  readonly #sources = new Map<string, number>();
  readonly #reasons = new Map<RefusalReason, number>();
  #count = 0;
  #unlisted = 0;
  #sinceMs = 0;
  #writtenMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RefusalRecordsOptions) {
    this.#options = options;
    this.#everyMs = options.everyMs ?? defaultEveryMs;
  }

  report({ counted, others }: RefusalReport): void {
    for (const { source, reason, count } of counted) this.#add(source, reason, count);
    for (const [reason, count] of Object.entries(others)) this.#add(undefined, reason as RefusalReason, count);
    if (this.#count === 0 || this.#timer !== undefined) return;
    // The first after a quiet time is recorded soon, all that follow with the next minute's.
    const waitMs = Math.max(0, this.#writtenMs + this.#everyMs - this.#options.now());
    this.#timer = setTimeout(() => void this.flush().catch(() => undefined), waitMs).unref();
  }

  /** Records what was added up. Rejects where the journal does. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#count === 0) return;
    const nowMs = this.#options.now();
    const top = [...this.#sources].sort(([, one], [, other]) => other - one).slice(0, topSources);
    const record = {
      type: 'refusals',
      since: new Date(this.#sinceMs).toISOString(),
      count: this.#count,
      reasons: Object.fromEntries(this.#reasons),
      // With more than could be told apart this is the least there were.
      sources: this.#sources.size,
      ...(this.#unlisted === 0 ? {} : { unlisted: this.#unlisted }),
      top: top.map(([address, count]) => ({ address, count })),
    };
    this.#writtenMs = nowMs;
    this.#sources.clear();
    this.#reasons.clear();
    this.#count = 0;
    this.#unlisted = 0;
    await this.#options.append(record);
  }

  #add(source: string | undefined, reason: RefusalReason, count: number): void {
    // Who only connects was refused nothing: a load balancer's probe would fill a journal.
    if (reason === 'silent') return;
    if (this.#count === 0) this.#sinceMs = this.#options.now();
    this.#count = sum(this.#count, count);
    this.#reasons.set(reason, sum(this.#reasons.get(reason) ?? 0, count));
    if (source !== undefined && (this.#sources.has(source) || this.#sources.size < mostSources)) this.#sources.set(source, sum(this.#sources.get(source) ?? 0, count));
    else this.#unlisted = sum(this.#unlisted, count);
  }
}

function sum(one: number, other: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, one + other);
}
