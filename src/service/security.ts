/** `security`: who is connected, who failed to, and what is open to attack. */
import { endsSoon } from '../domain/access/certificateEnd.ts';
import { Failure } from '../domain/failure.ts';
import type { JsonObject } from '../domain/json.ts';
import type { ExpiringKey, SecurityOverview } from '../domain/results/security.ts';
import { minuteMs } from '../domain/values/duration.ts';
import { parseWhen } from '../domain/values/time.ts';
import { queryJournal } from '../journal/query.ts';
import type { ServiceContext } from './context.ts';
import { checkSecurity } from './doctor.ts';
import type { Call } from './instances/context.ts';
import { SecurityTally } from './securityTally.ts';

export interface SecurityRequest {
  readonly since?: string | undefined;
}

/** Rejects with the failures of the journal. A check that fails is a problem, as in `doctor`. */
export async function securityOverview(
  context: ServiceContext,
  { since: wanted = 'today' }: SecurityRequest,
  call: Pick<Call, 'actor' | 'signal'>,
): Promise<SecurityOverview> {
  const now = context.now();
  const since = parseWhen(wanted, now);
  const bans = context.bans.list();
  const tally = new SecurityTally(since);
  for await (const record of queryJournal(context.journalFolder, { since, types: tally.types }, call.signal))
    tally.take(record);
  const { open, trouble, isKnown } = openConnections(context);
  for (const { user, startedAt } of open) tally.seen('user', user, startedAt);
  const sessions = context.logins.list().filter(({ entryPoint }) => entryPoint !== 'local');
  for (const { entryPoint, name, since: at } of sessions)
    tally.seen(entryPoint === 'self' ? 'user' : 'admin', name, at);
  return {
    since: since.toISOString(),
    until: now.toISOString(),
    sessions,
    connections: open,
    trouble,
    failures: tally.failures(bans, isKnown),
    bans,
    active: tally.active(),
    expiring: expiringKeys(context, now),
    checks: await checkSecurity(context, call),
  };
}

function openConnections({ connections }: Pick<ServiceContext, 'connections'>): {
  readonly open: SecurityOverview['connections'];
  readonly trouble: string | null;
  readonly isKnown: boolean;
} {
  try {
    const { trouble } = connections.coverage();
    return { open: connections.open(), trouble, isKnown: true };
  } catch (error) {
    return { open: [], trouble: Failure.from(error).why, isKnown: false };
  }
}

/** Returns the keys and certificates of admins that have expired lately or soon will. */
function expiringKeys({ admins, certificates }: Pick<ServiceContext, 'admins' | 'certificates'>, now: Date) {
  const found: ExpiringKey[] = admins
    .list()
    .flatMap(({ name, keys }) =>
      keys.flatMap(({ fingerprint, expiresAt }) =>
        expiresAt === null ? [] : [{ admin: name, kind: 'key' as const, id: fingerprint, expiresAt }],
      ),
    );
  // Only the certificate of an admin that lasts longest: the others have been replaced.
  const last = new Map<string, ExpiringKey>();
  for (const { admin, serial, notAfter, revokedAt } of certificates.issued) {
    const before = last.get(admin);
    if (revokedAt !== null || new Date(notAfter) <= now) continue;
    if (before === undefined || before.expiresAt < notAfter)
      last.set(admin, { admin, kind: 'certificate', id: serial, expiresAt: notAfter });
  }
  return [...found, ...last.values()]
    .filter(({ expiresAt }) => endsSoon(new Date(expiresAt), now) !== undefined)
    .sort((a, b) => a.expiresAt.localeCompare(b.expiresAt));
}

/** Number of earlier events that `security --follow` begins with. */
const earlierEvents = 20;
/** How far back it looks for them, in milliseconds. */
const earlierMs = 24 * 60 * minuteMs;

export interface EventText {
  /** The types of records that may be events. */
  readonly types: readonly string[];
  /** Returns a record as a line; undefined if it is no event. */
  readonly line: (record: JsonObject, time: string) => string | undefined;
}

/** Sends the last events of a day, and each new one, until the caller leaves. */
export async function followEvents(
  { records, journalFolder, now }: Pick<ServiceContext, 'records' | 'journalFolder' | 'now'>,
  { types, line }: EventText,
  { signal, progress }: Pick<Call, 'signal' | 'progress'>,
): Promise<void> {
  let earlier: string[] | undefined = [];
  const kept: string[] = [];
  // What happens while the journal is read comes after what it has.
  const unsubscribe = records.subscribe((record) => {
    const text = types.includes(record.type) ? line(record, now().toISOString()) : undefined;
    if (text === undefined) return;
    if (earlier === undefined) progress.output(`${text}\n`);
    else kept.push(text);
  });
  try {
    const since = new Date(now().getTime() - earlierMs);
    const until = now();
    for await (const record of queryJournal(journalFolder, { since, until, types }, signal)) {
      const text = line(record, record.time);
      if (text !== undefined) earlier = [...earlier.slice(1 - earlierEvents), text];
    }
    const first = [...earlier, ...kept];
    earlier = undefined;
    if (first.length > 0) progress.output(`${first.join('\n')}\n`);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
  } finally {
    unsubscribe();
  }
}
