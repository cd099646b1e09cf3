/** Turns entries of sshd's log into connections: which are open, when each user was last seen, and their records. */
import { createHash } from 'node:crypto';
import type { JumpConnection, LastSeen } from '../../domain/results/connections.ts';
import { containerName } from '../../domain/values/username.ts';
import type { SshdLogEntry } from '../../host/sshd/log.ts';
import { parseSshdMessage, type SshdMessage } from '../../host/sshd/messages.ts';
import type { SshdProcesses } from '../../host/sshd/processes.ts';
import type { ConnectionState } from './connectionStore.ts';

export interface TrackerOptions {
  /** Reports whether a user has a jump account. Only their connections count. */
  readonly isJumpAccount: (user: string) => Promise<boolean>;
  readonly processes: SshdProcesses;
  readonly records: {
    started(connection: JumpConnection, atMs: number): Promise<boolean>;
    ended(connection: JumpConnection): Promise<void>;
    failed(login: { readonly user: string | null; readonly address: string }, atMs: number): void;
  };
  /** Where to go on. */
  readonly from: ConnectionState;
}

/** The most connections and users that are remembered. The oldest are forgotten first. */
const maxRemembered = 10_000;

interface Open {
  readonly recorded: boolean;
  readonly connection: JumpConnection;
}

export class ConnectionTracker {
  readonly #options: TrackerOptions;
  /** By the id of sshd's process that serves them. */
  readonly #open: Map<number, Open>;
  readonly #lastSeen: Map<string, LastSeen>;
  /** Processes that were gone at the last check. */
  #gone = new Map<number, { readonly id: string; readonly atMs: number }>();
  #read: ConnectionState['read'];
  #changes = 0;

  constructor(options: TrackerOptions) {
    this.#options = options;
    const { open, lastSeen, read } = options.from;
    this.#open = new Map(
      open.map(({ pid, recorded, connection }) => [
        pid,
        { recorded, connection: { ...connection, endedAt: null, durationMs: null, state: 'open' } },
      ]),
    );
    this.#lastSeen = new Map(Object.entries(lastSeen));
    this.#read = read;
  }

  /** How often {@link state} has changed. */
  get changes(): number {
    return this.#changes;
  }

  open(): readonly JumpConnection[] {
    return [...this.#open.values()].map(({ connection }) => connection);
  }

  lastSeen(user: string): LastSeen | undefined {
    return this.#lastSeen.get(user);
  }

  /** Returns what has to be remembered to go on from here. */
  state(): Pick<ConnectionState, 'read' | 'open' | 'lastSeen'> {
    return {
      read: this.#read,
      open: [...this.#open].map(([pid, { recorded, connection }]) => {
        const { endedAt: _endedAt, durationMs: _durationMs, state: _state, ...facts } = connection;
        return { pid, recorded, connection: facts };
      }),
      lastSeen: Object.fromEntries(this.#lastSeen),
    };
  }

  /** Takes in one entry. Rejects if it cannot be recorded, or if the account is not known; it has to be read again. */
  async take(entry: SshdLogEntry): Promise<void> {
    const message = parseSshdMessage(entry.message);
    if (message?.kind === 'accepted') await this.#accepted(entry, message);
    else if (message?.kind === 'closed') await this.#closed(entry, message.user);
    else if (message !== undefined) await this.#failed(entry, message);
    this.#read = { cursor: entry.cursor, at: new Date(entry.atMs).toISOString() };
    this.#changes += 1;
  }

  /**
   * Ends the connections whose process is gone: one that was killed logs nothing. A process that ended by itself may
   * have an entry that was not read yet, so it must be gone at two checks.
   */
  async check(nowMs: number): Promise<void> {
    const gone = new Map<number, { readonly id: string; readonly atMs: number }>();
    for (const [pid, { connection }] of [...this.#open]) {
      if (await this.#options.processes.isServing(pid, Date.parse(connection.startedAt))) continue;
      const before = this.#gone.get(pid);
      if (before?.id === connection.id) await this.#end(pid, before.atMs, 'cut');
      else gone.set(pid, { id: connection.id, atMs: nowMs });
    }
    this.#gone = gone;
  }

  /** Ends those connections of a user whose process is gone: the caller knows that it was killed. */
  async cut(user: string, nowMs: number): Promise<void> {
    for (const [pid, { connection }] of [...this.#open]) {
      if (connection.user !== user) continue;
      if (!(await this.#options.processes.isServing(pid, Date.parse(connection.startedAt))))
        await this.#end(pid, nowMs, 'cut');
    }
  }

  async #accepted(entry: SshdLogEntry, message: SshdMessage & { readonly kind: 'accepted' }): Promise<void> {
    const { kind: _kind, user, ...how } = message;
    if (!(await this.#options.isJumpAccount(user))) return;
    // The process id is used again, so the connection before has ended.
    await this.#end(entry.pid, entry.atMs, 'cut');
    const startedAt = new Date(entry.atMs).toISOString();
    const connection: JumpConnection = {
      // The same whenever the entry is read.
      id: createHash('sha256').update(entry.cursor).digest('hex').slice(0, 20),
      user,
      container: containerName(user),
      ...how,
      startedAt,
      endedAt: null,
      durationMs: null,
      state: 'open',
    };
    const recorded = await this.#options.records.started(connection, entry.atMs);
    this.#open.set(entry.pid, { recorded, connection });
    // The order is that of use.
    this.#lastSeen.delete(user);
    this.#lastSeen.set(user, { at: startedAt, address: how.address, fingerprint: how.fingerprint });
    forgetOldest(this.#open);
    forgetOldest(this.#lastSeen);
  }

  async #closed({ pid, atMs }: SshdLogEntry, user: string): Promise<void> {
    if (this.#open.get(pid)?.connection.user === user) await this.#end(pid, atMs, 'ended');
  }

  async #failed(entry: SshdLogEntry, { user, address }: SshdMessage & { readonly kind: 'failed' }): Promise<void> {
    const known = user !== null && (await this.#options.isJumpAccount(user)) ? user : null;
    this.#options.records.failed({ user: known, address }, entry.atMs);
  }

  async #end(pid: number, atMs: number, state: 'ended' | 'cut'): Promise<void> {
    const found = this.#open.get(pid);
    if (found === undefined) return;
    const { connection, recorded } = found;
    const durationMs = Math.max(0, atMs - Date.parse(connection.startedAt));
    const ended = { ...connection, endedAt: new Date(atMs).toISOString(), durationMs, state };
    this.#open.delete(pid);
    this.#changes += 1;
    if (recorded) await this.#options.records.ended(ended);
  }
}

function forgetOldest(map: Map<unknown, unknown>): void {
  if (map.size <= maxRemembered) return;
  const [oldest] = map.keys();
  map.delete(oldest);
}
