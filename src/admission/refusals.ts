/**
 * Counts refusals by source and reason and reports them to core in one message every few seconds. A flood of failures
 * costs this process a bounded map and core a bounded message. Core decides what goes to the journal, the log and the
 * metrics.
 *
 * One connection counts as one refusal, however many keys it offered: an agent with four keys is not an attack.
 */
import {
  maxCountedSources,
  maxPorts,
  type CountedRefusals,
  type Refusal,
  type RefusalReason,
  type RefusalReport,
} from '../domain/access/refusal.ts';

export interface RefusalsOptions {
  readonly send: (report: RefusalReport) => void;
  /** How long refusals are collected before a report. Programs that ban by the log must not wait long. */
  readonly everyMs?: number;
}

const defaultEveryMs = 2000;

/** One row of the next report. */
type Counting = { -readonly [K in keyof CountedRefusals]: CountedRefusals[K] } & { readonly ports: number[] };

export class Refusals {
  readonly #send: (report: RefusalReport) => void;
  readonly #everyMs: number;
  readonly #counted = new Map<string, Counting>();
  #others: Partial<Record<RefusalReason, number>> = {};
  #timer: NodeJS.Timeout | undefined;

  constructor({ send, everyMs = defaultEveryMs }: RefusalsOptions) {
    this.#send = send;
    this.#everyMs = everyMs;
  }

  add({ source, port, reason, entryPoint }: Refusal): void {
    const key = `${source} ${reason} ${entryPoint ?? ''}`;
    const found = this.#counted.get(key);
    if (found !== undefined) {
      found.count++;
      if (found.ports.length < maxPorts) found.ports.push(port);
    } else if (this.#counted.size < maxCountedSources) {
      this.#counted.set(key, {
        source,
        reason,
        ...(entryPoint === undefined ? {} : { entryPoint }),
        count: 1,
        ports: [port],
      });
    } else {
      this.#others[reason] = (this.#others[reason] ?? 0) + 1;
    }
    this.#timer ??= setTimeout(() => this.flush(), this.#everyMs).unref();
  }

  /** Sends the report now, if there is anything to report. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#counted.size === 0) return;
    const report = { counted: [...this.#counted.values()], others: this.#others };
    this.#counted.clear();
    this.#others = {};
    this.#send(report);
  }
}
