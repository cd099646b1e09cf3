/**
 * Refused logins as the journal keeps them: added up to at most one record a minute, of a size that has a limit,
 * whatever the front reports. A front that was taken over can make the figures wrong; it can neither choose the form of
 * a record nor how many there are.
 */
import type { RefusalReason, RefusalReport } from '../../domain/access/refusal.ts';
import { CountedRecords, type CountedRecordsOptions } from './countedRecords.ts';

export type RefusalRecordsOptions = Omit<CountedRecordsOptions<RefusalReason>, 'record'>;

export class RefusalRecords {
  readonly #records: CountedRecords<RefusalReason>;

  constructor(options: RefusalRecordsOptions) {
    this.#records = new CountedRecords({
      ...options,
      record: ({ since, count, kinds, who, unlisted, top }) => ({
        type: 'refusals',
        since,
        count,
        reasons: { ...kinds },
        sources: who,
        ...(unlisted === 0 ? {} : { unlisted }),
        top: [...top],
      }),
    });
  }

  report({ counted, others }: RefusalReport): void {
    for (const { source, reason, count } of counted) this.#add(source, reason, count);
    for (const [reason, count] of Object.entries(others)) this.#add(undefined, reason as RefusalReason, count);
  }

  /** Records what was added up. Rejects where the journal does. */
  async flush(): Promise<void> {
    await this.#records.flush();
  }

  #add(source: string | undefined, reason: RefusalReason, count: number): void {
    // Who only connects was refused nothing: a load balancer's probe would fill a journal.
    if (reason !== 'silent') this.#records.add(reason, count, source === undefined ? undefined : { address: source });
  }
}
