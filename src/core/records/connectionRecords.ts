/**
 * The journal's records of connections through the host's own sshd, and of failed logins there. Each connection has a
 * record of its beginning and one of its end, up to a limit a minute; beyond it, and for failed logins, at most one
 * record a minute has the sums. So neither a flood nor a user who connects in a loop can fill the disk.
 */
import type { JsonObject } from '../../domain/json.ts';
import type { JumpConnection } from '../../domain/results/connections.ts';
import { minuteMs } from '../../domain/values/duration.ts';
import { connectionEnd, connectionStart } from '../../journal/connectionRecord.ts';
import { queryJournal } from '../../journal/query.ts';
import { CountedRecords } from './countedRecords.ts';

type Entry = { type: string } & JsonObject;

export interface ConnectionRecordsOptions {
  readonly append: (entry: Entry) => Promise<unknown>;
  readonly now: () => number;
  /** What earlier records have, for entries of the log that are read again. */
  readonly earlier: EarlierRecords;
}

/** How many connections of one user, and of all, have records of their own in a minute. */
const maxPerUser = 20;
const maxTotal = 200;

/** What the journal has of a part of the log already. */
export interface EarlierRecords {
  readonly started: ReadonlySet<string>;
  readonly ended: ReadonlySet<string>;
  /** Up to when entries are in a sum, in milliseconds since 1970; 0 for none. */
  readonly connectionsThroughMs: number;
  readonly failuresThroughMs: number;
}

export const noEarlierRecords: EarlierRecords = {
  started: new Set(),
  ended: new Set(),
  connectionsThroughMs: 0,
  failuresThroughMs: 0,
};

/** Returns what the journal has recorded since a time. */
export async function earlierRecords(folder: string, since: Date, signal: AbortSignal): Promise<EarlierRecords> {
  const [started, ended] = [new Set<string>(), new Set<string>()];
  const through = { connections: 0, 'ssh-failures': 0 };
  const types = ['connection', 'connection-end', 'connections', 'ssh-failures'];
  for await (const record of queryJournal(folder, { since, types }, signal)) {
    const { type, connection, through: until } = record;
    if (type === 'connection' && typeof connection === 'string') started.add(connection);
    if (type === 'connection-end' && typeof connection === 'string') ended.add(connection);
    if ((type === 'connections' || type === 'ssh-failures') && typeof until === 'string')
      through[type] = Math.max(through[type], Date.parse(until));
  }
  return { started, ended, connectionsThroughMs: through.connections, failuresThroughMs: through['ssh-failures'] };
}

export class ConnectionRecords {
  readonly #options: ConnectionRecordsOptions;
  readonly #connections: CountedRecords<'connection'>;
  readonly #failures: CountedRecords<'user' | 'other'>;
  /** When the last counted entries were logged, in milliseconds since 1970. */
  #through = { connections: 0, failures: 0 };
  #minute = { number: -1, total: 0, byUser: new Map<string, number>() };

  constructor(options: ConnectionRecordsOptions) {
    this.#options = options;
    const { append, now } = options;
    this.#connections = new CountedRecords({
      append,
      now,
      record: ({ since, count, distinct, unlisted, top }) => ({
        type: 'connections',
        since,
        through: new Date(this.#through.connections).toISOString(),
        count,
        users: distinct,
        ...(unlisted === 0 ? {} : { unlisted }),
        top: [...top],
      }),
    });
    this.#failures = new CountedRecords({
      append,
      now,
      record: ({ since, count, kinds, distinct, unlisted, top }) => ({
        type: 'ssh-failures',
        since,
        through: new Date(this.#through.failures).toISOString(),
        count,
        names: { ...kinds },
        sources: distinct,
        ...(unlisted === 0 ? {} : { unlisted }),
        top: [...top],
      }),
    });
  }

  /** Records the beginning of a connection. Returns whether it has a record of its own. */
  async started(connection: JumpConnection, atMs: number): Promise<boolean> {
    const { earlier, append } = this.#options;
    const { id, user } = connection;
    if (earlier.started.has(id)) return true;
    if (atMs <= earlier.connectionsThroughMs) return false;
    if (!this.#hasRoom(user, atMs)) {
      this.#through.connections = atMs;
      this.#connections.add('connection', 1, { user });
      return false;
    }
    await append(connectionStart(connection));
    return true;
  }

  /** Records the end of a connection whose beginning has a record. */
  async ended(connection: JumpConnection): Promise<void> {
    if (this.#options.earlier.ended.has(connection.id)) return;
    await this.#options.append(connectionEnd(connection));
  }

  /** Counts a failed login. `user` is null for a name that no account has. */
  failed({ user, address }: { readonly user: string | null; readonly address: string }, atMs: number): void {
    if (atMs <= this.#options.earlier.failuresThroughMs) return;
    this.#through.failures = atMs;
    this.#failures.add(user === null ? 'other' : 'user', 1, { address });
  }

  /** Writes the sums. Rejects if the journal does. */
  async flush(): Promise<void> {
    await this.#connections.flush();
    await this.#failures.flush();
  }

  /** Forgets what is in memory: the entries will be read again. */
  discard(): void {
    this.#connections.discard();
    this.#failures.discard();
  }

  #hasRoom(user: string, atMs: number): boolean {
    const number = Math.floor(atMs / minuteMs);
    if (number !== this.#minute.number) this.#minute = { number, total: 0, byUser: new Map() };
    const { byUser, total } = this.#minute;
    const own = byUser.get(user) ?? 0;
    if (own >= maxPerUser || total >= maxTotal) return false;
    byUser.set(user, own + 1);
    this.#minute.total += 1;
    return true;
  }
}
