/**
 * Forwardings, subsystems and the like that were asked for and refused, as the journal keeps them: who asked, for what,
 * how often, added up to at most one record a minute.
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
      record: ({ since, count, kinds, who, unlisted, top }) => ({
        type: 'unsupported-requests',
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
  report({ name, entryPoint, address }: Actor, counts: UnsupportedRequestCounts): void {
    for (const [kind, count] of Object.entries(counts))
      this.#records.add(kind as UnsupportedRequest, count, {
        name,
        entryPoint,
        ...(address === undefined ? {} : { address }),
      });
  }

  /** Records what was added up. Rejects where the journal does. */
  async flush(): Promise<void> {
    await this.#records.flush();
  }
}
