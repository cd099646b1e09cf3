/**
 * Follows the log of the host's own sshd for as long as core runs, and records the connections to jump accounts.
 *
 * Each entry counts once: the state file has the place in the log up to which the journal has everything. After a crash
 * the entries behind that place are read again, and what the journal has of them already is left out.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Low } from 'lowdb';
import type { Logger } from 'pino';
import { Failure } from '../../domain/failure.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { ConnectionCoverage, JumpConnection, LastSeen } from '../../domain/results/connections.ts';
import { minuteMs, secondMs } from '../../domain/values/duration.ts';
import type { SshdLogEntry, SshdLogStart } from '../../host/sshd/log.ts';
import type { SshdProcesses } from '../../host/sshd/processes.ts';
import { ConnectionRecords, earlierRecords } from '../records/connectionRecords.ts';
import type { ConnectionState } from './connectionStore.ts';
import { ConnectionTracker } from './tracker.ts';

type Entry = { type: string } & JsonObject;

export interface HostConnectionsOptions {
  readonly log: Logger;
  readonly sshdLog: {
    isKept(signal: AbortSignal): Promise<boolean>;
    follow(start: SshdLogStart, signal: AbortSignal): AsyncIterable<SshdLogEntry>;
  };
  readonly processes: SshdProcesses;
  /** Reports whether a user has a jump account. */
  readonly isJumpAccount: (user: string) => Promise<boolean>;
  /** Opens the state file. */
  readonly store: () => Promise<Low<ConnectionState>>;
  readonly append: (entry: Entry) => Promise<unknown>;
  readonly journalFolder: string;
  readonly now: () => Date;
  /** Pauses in milliseconds before the log is opened again, after a first failure and at most. */
  readonly reopen?: { readonly firstMs: number; readonly maxMs: number };
}

const defaultReopen = { firstMs: 2 * secondMs, maxMs: minuteMs };
/** How often a host without a journal is asked again, in milliseconds. */
const askAgainMs = 5 * minuteMs;
/** How often the place in the log is written down, and how often sshd's processes are looked at, in milliseconds. */
const saveEveryMs = 30 * secondMs;
/** How far the clock may have gone back since the state was saved without a record being missed, in milliseconds. */
const clockSlackMs = 10 * minuteMs;

const noJournal = 'this host has no journal of systemd, in which sshd would log them';

export class HostConnections {
  readonly #options: HostConnectionsOptions;
  readonly #stopping = new AbortController();
  #store: Low<ConnectionState> | undefined;
  #running: Promise<void> | undefined;
  #tracker: ConnectionTracker | undefined;
  #records: ConnectionRecords | undefined;
  /** The first failure of the journal since the log was opened. */
  #unrecorded: { readonly failure: Failure } | undefined;
  #trouble: string | null = 'the log of sshd has not been opened yet';
  #hasJournal = true;
  /** Whether the journal no longer takes the cursor that was kept, as after its files were replaced. */
  #isCursorLost = false;
  /** How many changes of the tracker are in the state file. */
  #saved = 0;

  constructor(options: HostConnectionsOptions) {
    this.#options = options;
  }

  /** Begins to follow the log. */
  start(): void {
    this.#running ??= this.#run(this.#stopping.signal);
  }

  /** Stops, and writes what is in memory. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** Returns how far connections are recorded. Throws `program-missing` if this host has no log that could be read. */
  coverage(): ConnectionCoverage {
    const since = this.#store?.data.since ?? null;
    if (!this.#hasJournal)
      throw new Failure('program-missing', {
        what: 'the connections through the host',
        why: noJournal,
        next: 'look into the log that sshd writes on this host, for example /var/log/auth.log',
      });
    return { recordedSince: since ?? this.#options.now().toISOString(), trouble: this.#trouble };
  }

  open(): readonly JumpConnection[] {
    return this.#tracker?.open() ?? [];
  }

  lastSeen(user: string): LastSeen | undefined {
    return this.#tracker?.lastSeen(user);
  }

  /** Ends the connections of a user whose sshd was killed just now. */
  cut(user: string): void {
    // A failure shows when the next entry is recorded, and the entries are then read again.
    void this.#tracker?.cut(user, this.#options.now().getTime()).catch(() => undefined);
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { firstMs, maxMs } = this.#options.reopen ?? defaultReopen;
    let waitMs = firstMs;
    while (!this.#isStopping()) {
      let nextMs = firstMs;
      try {
        this.#hasJournal = await this.#options.sshdLog.isKept(signal);
        if (this.#hasJournal) await this.#follow(signal, () => (waitMs = firstMs));
        else nextMs = askAgainMs;
      } catch (error) {
        if (!this.#isStopping()) this.#report(Failure.from(error));
        nextMs = waitMs;
        waitMs = Math.min(maxMs, waitMs * 2);
      }
      if (!this.#isStopping()) await pause(nextMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  #report({ what, why, details }: Failure): void {
    const stderr = details?.['stderr'];
    this.#isCursorLost = typeof stderr === 'string' && /cursor/i.test(stderr);
    const trouble = `${what}: ${why}`;
    if (trouble !== this.#trouble) this.#options.log.warn({ what, why }, 'the log of sshd cannot be followed');
    this.#trouble = trouble;
  }

  /** Follows the log until it ends, with a tracker that goes on from the state file. */
  async #follow(signal: AbortSignal, isWell: () => void): Promise<void> {
    const { sshdLog, processes, isJumpAccount, journalFolder, now } = this.#options;
    const store = (this.#store ??= await this.#options.store());
    if (store.data.since === null) {
      const at = now().toISOString();
      await store.update((state) => Object.assign(state, { since: at, savedAt: at }));
    }
    const { data } = store;
    const start = this.#startOf(data);
    const earlier = await earlierRecords(journalFolder, searchedFrom(data, start), signal);
    const records = new ConnectionRecords({ append: (entry) => this.#append(entry), now: () => +now(), earlier });
    const tracker = new ConnectionTracker({ isJumpAccount, processes, records, from: data });
    this.#unrecorded = undefined;
    this.#records = records;
    this.#tracker = tracker;
    this.#saved = 0;
    this.#trouble = null;
    const failed = new AbortController();
    let trouble: unknown;
    const timer = setInterval(() => {
      void this.#keep(tracker, now().getTime()).catch((error: unknown) => {
        trouble ??= error;
        failed.abort();
      });
    }, saveEveryMs).unref();
    try {
      for await (const entry of sshdLog.follow(start, AbortSignal.any([signal, failed.signal]))) {
        await tracker.take(entry);
        this.#throwUnrecorded();
        isWell();
      }
    } catch (error) {
      // A stop cancels the program, which is not a trouble.
      if (!signal.aborted || failed.signal.aborted) {
        records.discard();
        throw trouble ?? error;
      }
    } finally {
      clearInterval(timer);
    }
    await this.#save(tracker);
  }

  async #keep(tracker: ConnectionTracker, nowMs: number): Promise<void> {
    await tracker.check(nowMs);
    await this.#save(tracker);
  }

  #startOf({ read, since }: ConnectionState): SshdLogStart {
    if (read !== null && !this.#isCursorLost) return { cursor: read.cursor };
    return { since: new Date(read?.at ?? since ?? this.#options.now()) };
  }

  /** Writes the sums into the journal, and then the place in the log up to which the journal has everything. */
  async #save(tracker: ConnectionTracker): Promise<void> {
    const { changes } = tracker;
    const state = tracker.state();
    await this.#records?.flush();
    this.#throwUnrecorded();
    if (changes === this.#saved) return;
    this.#saved = changes;
    await this.#store?.update((kept) => Object.assign(kept, state, { savedAt: this.#options.now().toISOString() }));
  }

  async #append(entry: Entry): Promise<void> {
    try {
      await this.#options.append(entry);
    } catch (error) {
      this.#unrecorded ??= { failure: Failure.from(error) };
      throw error;
    }
  }

  #throwUnrecorded(): void {
    if (this.#unrecorded !== undefined) throw this.#unrecorded.failure;
  }
}

/** Returns from when on the journal may have records of entries that are read from `start` on. */
function searchedFrom({ savedAt, read }: ConnectionState, start: SshdLogStart): Date {
  const fromMs = Math.min(Date.parse(savedAt), 'cursor' in start || read === null ? Infinity : Date.parse(read.at));
  return new Date(Math.max(0, fromMs - clockSlackMs));
}
