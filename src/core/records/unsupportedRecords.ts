/**
 * The journal's records of unsupported requests (forwarding, subsystems and the like): who sent which kind, and how
 * often, summed up to at most one record a minute.
 */
import type { Actor } from '../../domain/access/actor.ts';
import type { UnsupportedRequest, UnsupportedRequestCounts } from '../../domain/access/unsupportedRequest.ts';
import { CountedRecords, type CountedRecordsOptions } from './countedRecords.ts';

export type UnsupportedRecordsOptions = Omit<CountedRecordsOptions<UnsupportedRequest>, 'record'>;

export class UnsupportedRecords {
  readonly #records: CountedRecords<UnsupportedRequest>;

  constructor(options: UnsupportedRecordsOptions) {
    this.#records = new CountedRecords({
      ...options,
      record: ({ since, count, kinds, distinct, unlisted, top }) => ({
        type: 'unsupported-requests',
        since,
        count,
        asked: { ...kinds },
        people: distinct,
        ...(unlisted === 0 ? {} : { unlisted }),
        top: [...top],
      }),
    });
  }

  /** Adds a report of the front. `actor` is core's own knowledge; the kinds and counts are the front's claim. */
  report({ name, entryPoint, address }: Actor, counts: UnsupportedRequestCounts): void {
    for (const [kind, count] of Object.entries(counts))
      this.#records.add(kind as UnsupportedRequest, count, {
        name,
        entryPoint,
        ...(address === undefined ? {} : { address }),
      });
  }

  /** Writes the current sum to the journal. Rejects if the journal does. */
  async flush(): Promise<void> {
    await this.#records.flush();
  }
}
