/**
 * Who was not let in, counted by source and reason and told to core in one message every few seconds: a flood of
 * failures costs the front a bounded map, and core a bounded message. What becomes of it (journal, log, metrics) is
 * core's to decide.
 *
 * One connection is one refusal, however many keys it offered: an agent with four keys is no attack.
 */
import {
  maxCountedSources,
  maxPorts,
  type CountedRefusals,
  type Refusal,
  type RefusalReason,
  type RefusalReport,
} from '../../domain/access/refusal.ts';

export interface RefusalsOptions {
  readonly send: (report: RefusalReport) => void;
  /** How long refusals are gathered before they are sent, in milliseconds: soon enough for whoever bans by the log. */
  readonly everyMs?: number;
}

const defaultEveryMs = 2000;

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

  /** Sends what was counted at once. */
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
