/** The calls that ended since a person's last visit, read from the journal so that they survive a restart. */
import * as z from 'zod';
import { actorTitle, type Actor } from '../../domain/access/actor.ts';
import type { EndedCall } from '../../domain/events/notice.ts';
import { failureCodes, type FailureCode } from '../../domain/failure.ts';
import type { JournalRecord } from '../../journal/chain.ts';
import { queryJournal } from '../../journal/query.ts';

/** Maximum number of calls returned; `audit` has the rest. */
const maxCalls = 10;
/** Maximum number of records examined. */
const maxRecords = 400;

/** How far back a first visit looks, in milliseconds. */
const firstVisitMs = 24 * 60 * 60 * 1000;

export interface Visit {
  /** The person who is told. */
  readonly reader: Pick<Actor, 'name' | 'entryPoint'>;
  /** The end of their last visit, RFC 3339. Null for a first visit, which is told of the reader's own calls only. */
  readonly since: string | null;
  readonly now: Date;
}

/**
 * Returns the calls that ended since the last visit and that `concerns` accepts, oldest first. Of the reader's own
 * calls only those of which they have not seen the end: that ran when they left or were cut off, or that the end of the
 * server cut off.
 */
export async function endedSince(
  folder: string,
  { reader, since, now }: Visit,
  concerns: (call: Pick<EndedCall, 'verb' | 'target'>) => boolean,
): Promise<EndedCall[]> {
  const from = since === null ? now.getTime() - firstVisitMs : Date.parse(since);
  const records = await Array.fromAsync(
    queryJournal(folder, { since: new Date(from), types: ['outcome', 'operation-end'], limit: maxRecords }),
  );
  const isOwn = (record: JournalRecord): boolean => actorName(record['actor']) === actorTitle(reader);
  return records
    .flatMap((record, at) => {
      const isTold = isOwn(record) ? !isAnswered(record, from) : since !== null;
      return isTold ? toEnded(record, records.slice(at + 1)) : [];
    })
    .filter(concerns)
    .slice(-maxCalls);
}

/** Reports whether a record is about a call that began after `since`, and whose caller waited for its end. */
function isAnswered(record: JournalRecord, since: number): boolean {
  const { durationMs } = record;
  if (record['unanswered'] === true) return false;
  // What was cut off is undone or finished by the next server. This is a part of a call, as a build in a create.
  if (record.type === 'operation-end') return record['outcome'] === 'done';
  return Date.parse(record.time) - (typeof durationMs === 'number' ? durationMs : 0) >= since;
}

const failureIn = z.object({
  code: z.enum(Object.keys(failureCodes) as FailureCode[]),
  what: z.string(),
  why: z.string(),
});

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
            code: failure.data?.code ?? 'partial',
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
