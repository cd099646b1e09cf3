/**
 * Forwardings, subsystems and the like that were asked for and refused, as the journal keeps them: who asked, for what,
 * how often, added up to at most one record a minute.
 */
import type { Actor } from '../../domain/access/actor.ts';
import type { NotOffered, NotOfferedCounts } from '../../domain/access/unsupportedRequest.ts';
import { CountedRecords, type CountedRecordsOptions } from './countedRecords.ts';

export type NotOfferedRecordsOptions = Omit<CountedRecordsOptions<NotOffered>, 'record'>;

export class NotOfferedRecords {
  readonly #records: CountedRecords<NotOffered>;

  constructor(options: NotOfferedRecordsOptions) {
    this.#records = new CountedRecords({
      ...options,
      record: ({ since, count, kinds, who, unlisted, top }) => ({
        type: 'not-offered',
        since,
        count,
        asked: { ...kinds },
        people: who,
        ...(unlisted === 0 ? {} : { unlisted }),
        top: [...top],
      }),
    });
  }

  /** `actor` is who core knows the login to be; what and how often is the front's word. */
  report({ name, door, address }: Actor, counts: NotOfferedCounts): void {
    for (const [kind, count] of Object.entries(counts))
      this.#records.add(kind as NotOffered, count, { name, door, ...(address === undefined ? {} : { address }) });
  }

  /** Records what was added up. Rejects where the journal does. */
  async flush(): Promise<void> {
    await this.#records.flush();
  }
}
