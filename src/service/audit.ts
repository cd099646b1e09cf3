/** `audit`, `audit export`, `audit verify`. */
import { parseWhen } from '../domain/values/time.ts';
import { userOf } from '../domain/values/username.ts';
import type { AuditRecords, AuditVerification } from '../domain/results/audit.ts';
import { queryJournal, type JournalFilter } from '../journal/query.ts';
import type { ServiceContext } from './context.ts';
import type { Call } from './instances/context.ts';
import { verifyJournal } from '../journal/verify.ts';

export interface AuditRequest {
  readonly actor?: string | undefined;
  readonly verb?: string | undefined;
  readonly target?: string | undefined;
  readonly session?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly limit?: number;
}

/** Number of records that `audit` shows by default. */
const defaultRecords = 50;
/** Maximum number of records in one answer. */
const maxRecords = 100_000;

export function audit(context: ServiceContext, request: AuditRequest, call: Call): Promise<AuditRecords> {
  return findRecords(context, { limit: defaultRecords, ...request }, call.signal);
}

export function exportAudit(context: ServiceContext, request: AuditRequest, call: Call): Promise<AuditRecords> {
  return findRecords(context, { limit: maxRecords, ...request }, call.signal);
}

export function verifyAudit(
  { journalFolder }: ServiceContext,
  _input: object,
  { signal }: Call,
): Promise<AuditVerification> {
  return verifyRecords(journalFolder, signal);
}

async function findRecords(
  { journalFolder, now }: ServiceContext,
  request: AuditRequest & { readonly limit: number },
  signal: AbortSignal,
): Promise<AuditRecords> {
  const limit = Math.min(request.limit, maxRecords);
  const filter: JournalFilter = {
    ...(request.actor === undefined ? {} : { actor: request.actor }),
    ...(request.verb === undefined ? {} : { verb: request.verb }),
    // The name of a container means its user, unless an admin or a CA has that name.
    ...(request.target === undefined ? {} : { targets: [request.target, userOf(request.target)] }),
    ...(request.session === undefined ? {} : { login: request.session }),
    ...(request.since === undefined ? {} : { since: parseWhen(request.since, now()) }),
    ...(request.until === undefined ? {} : { until: parseWhen(request.until, now()) }),
    // One extra record tells whether there are more.
    limit: limit + 1,
  };
  const records = await Array.fromAsync(queryJournal(journalFolder, filter, signal));
  return { records: records.slice(-limit), more: records.length > limit };
}

export async function verifyRecords(folder: string, signal: AbortSignal): Promise<AuditVerification> {
  const found = await verifyJournal(folder, signal);
  return found.ok
    ? { ok: true, records: found.records, segments: found.segments, head: found.head }
    : { ok: false, records: found.records, firstBad: { ...found.firstBad, seq: found.firstBad.seq ?? null } };
}
