/**
 * The journal's records of rejected logins: summed up, at most one a minute, each of limited size, whatever the front
 * reports. A compromised front can falsify the numbers, but not the form or the rate of the records.
 */
import type { RefusalReason, RefusalReport } from '../../domain/access/refusal.ts';
import { CountedRecords, type CountedRecordsOptions } from './countedRecords.ts';

export type RefusalRecordsOptions = Omit<CountedRecordsOptions<RefusalReason>, 'record'>;

export class RefusalRecords {
  readonly #records: CountedRecords<RefusalReason>;

  constructor(options: RefusalRecordsOptions) {
    this.#records = new CountedRecords({
      ...options,
      record: ({ since, count, kinds, distinct, unlisted, top }) => ({
        type: 'refusals',
        since,
        count,
        reasons: { ...kinds },
        sources: distinct,
        ...(unlisted === 0 ? {} : { unlisted }),
        top: [...top],
      }),
    });
  }

  report({ counted, others }: RefusalReport): void {
    for (const { source, reason, count } of counted) this.#add(source, reason, count);
    for (const [reason, count] of Object.entries(others)) this.#add(undefined, reason as RefusalReason, count);
  }

  /** Writes the current sum to the journal. Rejects if the journal does. */
  async flush(): Promise<void> {
    await this.#records.flush();
  }

  #add(source: string | undefined, reason: RefusalReason, count: number): void {
    // A client that only connects was not refused anything, and a load balancer's probes would fill the journal.
    if (reason !== 'silent') this.#records.add(reason, count, source === undefined ? undefined : { address: source });
  }
}
