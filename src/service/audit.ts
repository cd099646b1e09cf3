/** The journal as verbs ask for it. */
import { parseWhen } from '../domain/time.ts';
import type { AuditRecords, AuditVerification } from '../domain/results.ts';
import { queryJournal, type JournalFilter } from '../journal/query.ts';
import { verifyJournal } from '../journal/verify.ts';

export interface AuditRequest {
  readonly actor?: string | undefined;
  readonly verb?: string | undefined;
  readonly target?: string | undefined;
  readonly session?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly limit?: number | undefined;
}

/** More than this in one answer is for `audit export` in parts. */
const mostRecords = 100_000;

export async function findRecords(
  folder: string,
  request: AuditRequest,
  defaultLimit: number,
  now: Date,
  signal: AbortSignal,
): Promise<AuditRecords> {
  const limit = Math.min(request.limit ?? defaultLimit, mostRecords);
  const filter: JournalFilter = {
    ...(request.actor === undefined ? {} : { actor: request.actor }),
    ...(request.verb === undefined ? {} : { verb: request.verb }),
    ...(request.target === undefined ? {} : { target: request.target }),
    ...(request.session === undefined ? {} : { login: request.session }),
    ...(request.since === undefined ? {} : { since: parseWhen(request.since, now) }),
    ...(request.until === undefined ? {} : { until: parseWhen(request.until, now) }),
    // One more than wanted tells whether there is more.
    limit: limit + 1,
  };
  const records = await Array.fromAsync(queryJournal(folder, filter, signal));
  return { records: records.slice(-limit), more: records.length > limit };
}

export async function verifyRecords(folder: string, signal: AbortSignal): Promise<AuditVerification> {
  const found = await verifyJournal(folder, signal);
  return found.ok
    ? { ok: true, records: found.records, segments: found.segments, head: found.head }
    : { ok: false, records: found.records, firstBad: { ...found.firstBad, seq: found.firstBad.seq ?? null } };
}
