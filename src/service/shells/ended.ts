/** What has ended since somebody was here last: read from the journal, so that it is told after a restart too. */
import { z } from 'zod';
import type { EndedCall } from '../../domain/events/notice.ts';
import type { JournalRecord } from '../../journal/chain.ts';
import { queryJournal } from '../../journal/query.ts';

/** More than this nobody reads; `audit` has the rest. */
const maxCalls = 10;
/** Records that are looked at. */
const maxRecords = 400;

/** Ended calls since `since` (RFC 3339) that `concerns` lets through, oldest first. */
export async function endedSince(
  folder: string,
  since: string,
  concerns: (call: Pick<EndedCall, 'verb' | 'target'>) => boolean,
): Promise<EndedCall[]> {
  const records = await Array.fromAsync(
    queryJournal(folder, { since: new Date(since), types: ['outcome', 'operation-end'], limit: maxRecords }),
  );
  return records
    .flatMap((record, at) => toEnded(record, records.slice(at + 1)))
    .filter(concerns)
    .slice(-maxCalls);
}

const failureIn = z.object({ what: z.string(), why: z.string() });

/**
 * A verb that ended has an outcome; one that was cut off by the end of the server has only its operation's end,
 * recorded by the next.
 */
function toEnded(record: JournalRecord, later: readonly JournalRecord[]): EndedCall[] {
  const { verb, target } = record;
  if (typeof verb !== 'string') return [];
  const outcome = record['outcome'];
  if (record.type === 'operation-end') {
    const toldByOutcome = later.some(
      (other) => other.type === 'outcome' && other['verb'] === verb && other['target'] === target,
    );
    if (toldByOutcome) return [];
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
            why: failure.data?.why ?? 'it was cut short and has been taken back',
          },
      durationMs: typeof record['durationMs'] === 'number' ? record['durationMs'] : 0,
    },
  ];
}

function actorName(actor: unknown): string {
  return typeof actor === 'object' && actor !== null && 'name' in actor && typeof actor.name === 'string'
    ? actor.name
    : '-';
}
