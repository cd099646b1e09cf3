/** The calls that ended since a person's last visit, read from the journal so that they survive a restart. */
import { z } from 'zod';
import { actorTitle, type Actor } from '../../domain/access/actor.ts';
import type { EndedCall } from '../../domain/events/notice.ts';
import type { JournalRecord } from '../../journal/chain.ts';
import { queryJournal } from '../../journal/query.ts';

/** Maximum number of calls returned; `audit` has the rest. */
const maxCalls = 10;
/** Maximum number of records examined. */
const maxRecords = 400;

/** The person who is told. */
type Reader = Pick<Actor, 'name' | 'entryPoint'>;

/**
 * Returns the calls that ended since `since` (RFC 3339) and that `concerns` accepts, oldest first. Of the reader's own
 * calls only those of which they have not seen the end: that ran when they left, or that the end of the server cut off.
 */
export async function endedSince(
  folder: string,
  since: string,
  concerns: (call: Pick<EndedCall, 'verb' | 'target'>) => boolean,
  reader?: Reader,
): Promise<EndedCall[]> {
  const records = await Array.fromAsync(
    queryJournal(folder, { since: new Date(since), types: ['outcome', 'operation-end'], limit: maxRecords }),
  );
  return records
    .flatMap((record, at) =>
      reader !== undefined && isAnsweredOwn(record, reader, Date.parse(since))
        ? []
        : toEnded(record, records.slice(at + 1)),
    )
    .filter(concerns)
    .slice(-maxCalls);
}

/** Reports whether a record is the outcome of the reader's own call, and the call began after `since`. */
function isAnsweredOwn(record: JournalRecord, reader: Reader, since: number): boolean {
  const { actor, durationMs } = record;
  if (record.type !== 'outcome' || actorName(actor) !== actorTitle(reader)) return false;
  return Date.parse(record.time) - (typeof durationMs === 'number' ? durationMs : 0) >= since;
}

const failureIn = z.object({ what: z.string(), why: z.string() });

/**
 * Converts a record. A call that ended has an `outcome` record. A call that the end of the server cut off has only an
 * `operation-end` record, which the next server writes.
 */
function toEnded(record: JournalRecord, later: readonly JournalRecord[]): EndedCall[] {
  const { verb, target } = record;
  if (typeof verb !== 'string') return [];
  const outcome = record['outcome'];
  if (record.type === 'operation-end') {
    const hasOutcome = later.some(
      (other) => other.type === 'outcome' && other['verb'] === verb && other['target'] === target,
    );
    if (hasOutcome) return [];
  }
  const failure = failureIn.safeParse(record['failure']);
  const ok = outcome === 'ok' || outcome === 'done' || outcome === 'finished';
  return [
    {
      verb,
      target: typeof target === 'string' ? target : null,
      actor: actorName(record['actor']),
      endedAt: record.time,
      outcome: ok ? 'ok' : 'failed',
      failure: ok
        ? null
        : {
            code: 'partial',
            what: failure.data?.what ?? verb,
            why: failure.data?.why ?? 'it was interrupted and has been undone',
          },
      durationMs: typeof record['durationMs'] === 'number' ? record['durationMs'] : 0,
    },
  ];
}

function actorName(actor: unknown): string {
  return typeof actor === 'object' && actor !== null && 'name' in actor && typeof actor.name === 'string'
    ? actorTitle({ ...actor, name: actor.name })
    : '-';
}
