/** `audit`, `audit export`, `audit verify`. */
import { ensureRange, parseWhen } from '../domain/values/time.ts';
import { userOf } from '../domain/values/username.ts';
import type { AuditRecords, AuditVerification } from '../domain/results/audit.ts';
import { queryJournal, type JournalFilter } from '../journal/query.ts';
import type { ServiceContext } from './context.ts';
import type { Call } from './instances/context.ts';

export interface AuditRequest {
  readonly actor?: string | undefined;
  readonly verb?: string | undefined;
  readonly target?: string | undefined;
  readonly session?: string | undefined;
  readonly text?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly limit?: number;
  /** Include the records of the steps of operations. */
  readonly steps?: boolean | undefined;
}

/** Records that only say how far an operation has come. Its beginning, its end and a failed undo have others. */
const stepTypes = ['step', 'step-done', 'step-undone', 'operation-made'];

/** Number of records that `audit` shows by default. */
const defaultRecords = 50;
/** Maximum number of records in one answer. */
const maxRecords = 100_000;
/** Maximum size of the records in one answer, as JSON: it is sent as one message. */
const maxAnswerBytes = 16 * 1024 * 1024;

export function audit(context: ServiceContext, request: AuditRequest, call: Call): Promise<AuditRecords> {
  return findRecords(context, { limit: defaultRecords, ...request }, call.signal);
}

export async function exportAudit(context: ServiceContext, request: AuditRequest, call: Call): Promise<AuditRecords> {
  const found = await findRecords(context, { limit: maxRecords, ...request, steps: true }, call.signal);
  const begins = found.records[0]?.['time'];
  // A caller who asked for this number of records knows it.
  if (found.more && typeof begins === 'string' && found.records.length !== request.limit)
    call.progress.note(`Older records were left out. The next part: --until ${begins}`);
  return found;
}

export function verifyAudit(
  { keeping }: ServiceContext,
  { archive = false }: { readonly archive?: boolean | undefined },
  { signal }: Call,
): Promise<AuditVerification> {
  return keeping.verify(archive, signal);
}

async function findRecords(
  { journalFolder, now }: ServiceContext,
  request: AuditRequest & { readonly limit: number },
  signal: AbortSignal,
): Promise<AuditRecords> {
  const limit = Math.min(request.limit, maxRecords);
  const since = request.since === undefined ? undefined : parseWhen(request.since, now());
  const until = request.until === undefined ? undefined : parseWhen(request.until, now());
  ensureRange(since, until, now());
  const filter: JournalFilter = {
    ...(request.actor === undefined ? {} : { actor: request.actor }),
    ...(request.verb === undefined ? {} : { verb: request.verb }),
    // The name of a container means its user, unless an admin or a CA has that name.
    ...(request.target === undefined ? {} : { targets: [request.target, userOf(request.target)] }),
    ...(request.session === undefined ? {} : { login: request.session }),
    ...(request.text === undefined ? {} : { text: request.text }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(request.steps === true ? {} : { exceptTypes: stepTypes }),
    // One extra record tells whether there are more.
    limit: limit + 1,
    maxBytes: maxAnswerBytes,
  };
  const records = await Array.fromAsync(queryJournal(journalFolder, filter, signal));
  const kept = newestWithin(records.slice(-limit), maxAnswerBytes);
  return { records: kept, more: records.length > kept.length };
}

/** Returns the last records that are not larger together, as JSON. */
function newestWithin<T>(records: readonly T[], maxBytes: number): readonly T[] {
  let bytes = 0;
  let first = records.length;
  while (first > 0) {
    bytes += Buffer.byteLength(JSON.stringify(records[first - 1]));
    if (bytes > maxBytes) break;
    first--;
  }
  return records.slice(first);
}
