/**
 * Which calls have records of their own. A call costs its caller nothing and the disk a kilobyte, and a full disk stops
 * every change. So each person has a number of calls an hour; the others are summed up, at most one record a minute.
 */
import { personOf, type Actor } from '../../domain/access/actor.ts';
import { hourMs } from '../../domain/values/duration.ts';
import { CountedRecords, type CountedRecordsOptions } from './countedRecords.ts';

export type CallOutcome = 'ok' | 'failed' | 'refused';

/** Calls of one person in an hour that have records: those of owners that read, those that change, those of admins. */
const maxReadsOfOwner = 200;
const maxChangesOfOwner = 200;
const maxReadsOfAdmin = 2000;

export class CallRecords {
  readonly #records: CountedRecords<CallOutcome>;
  readonly #listed = new Map<string, number>();
  #hourBeganMs = -Infinity;

  constructor(options: Omit<CountedRecordsOptions<CallOutcome>, 'record'>) {
    this.#records = new CountedRecords({
      ...options,
      record: ({ since, count, kinds, distinct, unlisted, top }) => ({
        type: 'calls',
        since,
        count,
        outcomes: { ...kinds },
        people: distinct,
        ...(unlisted === 0 ? {} : { unlisted }),
        top: [...top],
      }),
    });
  }

  /** Reports whether the next call of this person has records of its own. Changes by admins and root always have. */
  lists(actor: Pick<Actor, 'name' | 'entryPoint'>, changes: boolean): boolean {
    const { entryPoint } = actor;
    if (entryPoint === 'local' || (changes && entryPoint !== 'self')) return true;
    const nowMs = performance.now();
    if (nowMs - this.#hourBeganMs >= hourMs) {
      this.#hourBeganMs = nowMs;
      this.#listed.clear();
    }
    const ofOwner = changes ? maxChangesOfOwner : maxReadsOfOwner;
    const key = `${String(changes)} ${personOf(actor)}`;
    const listed = (this.#listed.get(key) ?? 0) + 1;
    this.#listed.set(key, listed);
    return listed <= (entryPoint === 'self' ? ofOwner : maxReadsOfAdmin);
  }

  /** Adds a call without records of its own to the sum. */
  sum({ name, entryPoint, address }: Pick<Actor, 'name' | 'entryPoint' | 'address'>, outcome: CallOutcome): void {
    this.#records.add(outcome, 1, { name, entryPoint, ...(address === undefined ? {} : { address }) });
  }

  /** Writes the current sum to the journal. Rejects if the journal does. */
  async flush(): Promise<void> {
    await this.#records.flush();
  }
}
