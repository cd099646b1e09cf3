/** `audit --connections`: the connections of users through the host's own sshd, from the journal. */
import type { JsonObject } from '../domain/json.ts';
import { isJsonObject } from '../domain/json.ts';
import type { ConnectionCounts, ConnectionList, JumpConnection } from '../domain/results/connections.ts';
import { ensureRange, parseWhen } from '../domain/values/time.ts';
import { readConnection } from '../journal/connectionRecord.ts';
import { queryJournal } from '../journal/query.ts';
import type { ServiceContext } from './context.ts';
import type { Call } from './instances/context.ts';

export interface ConnectionsRequest {
  readonly user?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly limit?: number | undefined;
  readonly counts?: boolean | undefined;
}

type Context = Pick<ServiceContext, 'connections' | 'journalFolder' | 'now'>;

/** How far back it looks without `since`. */
const defaultSince = '30d';
const defaultLimit = 50;
const maxLimit = 100_000;

/**
 * Returns the connections that were open at some time between `since` and `until`, or their number by day and user of
 * those that began then. Rejects with `program-missing` if this host cannot tell.
 */
export async function auditConnections(
  context: Context,
  request: ConnectionsRequest,
  { signal }: Pick<Call, 'signal'>,
): Promise<ConnectionList | ConnectionCounts> {
  const coverage = context.connections.coverage();
  const now = context.now();
  const since = parseWhen(request.since ?? defaultSince, now);
  const until = request.until === undefined ? now : parseWhen(request.until, now);
  ensureRange(since, until, now);
  const wanted: Wanted = { since: since.getTime(), until: until.getTime(), user: request.user };
  const counting = request.counts === true ? new Counts(wanted) : undefined;
  const listing = new Listing(wanted, Math.min(request.limit ?? defaultLimit, maxLimit));
  // A record is never older than what it tells, but may be written later.
  const types = ['connection', 'connection-end', 'connections'];
  for await (const record of queryJournal(context.journalFolder, { since, types }, signal))
    (counting ?? listing).take(record);
  if (counting !== undefined) return { ...counting.result(), ...coverage };
  return { ...listing.result(context.connections.open()), ...coverage };
}

/** Times in milliseconds since 1970. */
interface Wanted {
  readonly since: number;
  readonly until: number;
  readonly user: string | undefined;
}

/** Returns the sums by user of a `connections` record, and how many connections it has of other users. */
export function summedConnections(record: JsonObject): { readonly users: Map<string, number>; readonly rest: number } {
  const top = Array.isArray(record['top']) ? record['top'].filter(isJsonObject) : [];
  const users = new Map<string, number>();
  let named = 0;
  for (const { user, count } of top) {
    if (typeof user !== 'string' || typeof count !== 'number') continue;
    users.set(user, count);
    named += count;
  }
  const all = typeof record['count'] === 'number' ? record['count'] : named;
  return { users, rest: Math.max(0, all - named) };
}

/** Returns when the connections of a `connections` record began. */
function timeOf({ through, since }: JsonObject): number {
  const text = through ?? since;
  return typeof text === 'string' ? Date.parse(text) : Number.NaN;
}

class Listing {
  readonly #wanted: Wanted;
  readonly #limit: number;
  #found = new Map<string, JumpConnection>();
  #unlisted = 0;
  #more = false;

  constructor(wanted: Wanted, limit: number) {
    this.#wanted = wanted;
    this.#limit = limit;
  }

  take(record: JsonObject): void {
    if (record['type'] === 'connections') this.#addSum(record);
    else this.#add(readConnection(record));
  }

  result(open: readonly JumpConnection[]): Pick<ConnectionList, 'connections' | 'more' | 'unlisted'> {
    for (const connection of open) this.#add(connection);
    this.#trim();
    return { connections: [...this.#found.values()], more: this.#more, unlisted: this.#unlisted };
  }

  #add(connection: JumpConnection | undefined): void {
    if (connection === undefined) return;
    const { since, until, user } = this.#wanted;
    const { startedAt, endedAt } = connection;
    if (user !== undefined && connection.user !== user) return;
    if (Date.parse(startedAt) > until || (endedAt !== null && Date.parse(endedAt) < since)) return;
    this.#found.set(connection.id, connection);
    if (this.#found.size > 2 * this.#limit + 100) this.#trim();
  }

  /** Keeps the newest. */
  #trim(): void {
    const sorted = [...this.#found].sort(([, a], [, b]) => a.startedAt.localeCompare(b.startedAt));
    this.#more ||= sorted.length > this.#limit;
    this.#found = new Map(sorted.slice(-this.#limit));
  }

  #addSum(record: JsonObject): void {
    const { since, until, user } = this.#wanted;
    const at = timeOf(record);
    if (!(at >= since && at <= until)) return;
    const { users, rest } = summedConnections(record);
    const named = [...users].filter(([name]) => user === undefined || name === user);
    this.#unlisted += named.reduce((sum, [, count]) => sum + count, user === undefined ? rest : 0);
  }
}

class Counts {
  readonly #wanted: Wanted;
  /** By day and user. */
  readonly #found = new Map<string, { readonly day: string; readonly user: string; connections: number }>();
  #unlisted = 0;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
  }

  take(record: JsonObject): void {
    if (record['type'] === 'connections') {
      const at = timeOf(record);
      if (!this.#isWanted(at)) return;
      const { users, rest } = summedConnections(record);
      for (const [user, count] of users) this.#add(at, user, count);
      this.#unlisted += rest;
    } else if (record['type'] === 'connection') {
      const connection = readConnection(record);
      const at = Date.parse(connection?.startedAt ?? '');
      if (connection !== undefined && this.#isWanted(at)) this.#add(at, connection.user, 1);
    }
  }

  result(): Pick<ConnectionCounts, 'counts' | 'unlisted'> {
    const counts = [...this.#found.values()].sort(
      (a, b) => a.day.localeCompare(b.day) || b.connections - a.connections || a.user.localeCompare(b.user),
    );
    return { counts, unlisted: this.#unlisted };
  }

  #isWanted(at: number): boolean {
    return at >= this.#wanted.since && at <= this.#wanted.until;
  }

  #add(at: number, user: string, count: number): void {
    if (this.#wanted.user !== undefined && user !== this.#wanted.user) return;
    const day = new Date(at).toISOString().slice(0, 10);
    const key = `${day} ${user}`;
    const found = this.#found.get(key) ?? { day, user, connections: 0 };
    found.connections += count;
    this.#found.set(key, found);
  }
}
