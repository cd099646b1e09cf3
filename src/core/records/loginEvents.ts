/** Writes logins, rejected logins and unsupported requests to the journal and the log, and counts them for metrics. */
import type { Logger } from 'pino';
import type { Actor } from '../../domain/access/actor.ts';
import { Failure } from '../../domain/failure.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { LoginMeans } from '../../domain/access/login.ts';
import type { UnsupportedRequestCounts } from '../../domain/access/unsupportedRequest.ts';
import { triedEntryPoint, type RefusalReport } from '../../domain/access/refusal.ts';
import { AuthLog } from './authLog.ts';
import { UnsupportedRecords } from './unsupportedRecords.ts';
import { recordActor } from '../../journal/recordActor.ts';
import { RefusalRecords } from './refusalRecords.ts';

export interface LoginEventsOptions {
  readonly append: (entry: { type: string } & JsonObject) => Promise<unknown>;
  readonly log: Logger;
  readonly now: () => number;
  readonly counted?: { login(actor: Actor): void; refusals(report: RefusalReport): void };
}

export class LoginEvents {
  readonly #options: LoginEventsOptions;
  readonly #authLog: AuthLog;
  readonly #records: RefusalRecords;
  readonly #unsupportedRequests: UnsupportedRecords;

  constructor(options: LoginEventsOptions) {
    this.#options = options;
    this.#authLog = new AuthLog(options.log, options.now);
    const records = { append: (entry: { type: string } & JsonObject) => this.#append(entry), now: options.now };
    this.#records = new RefusalRecords(records);
    this.#unsupportedRequests = new UnsupportedRecords(records);
  }

  /** Records a new login. Logins in local mode, root on the host, are not recorded; their calls are. */
  opened(actor: Actor, means: LoginMeans | undefined): void {
    if (actor.entryPoint === 'local') return;
    this.#options.counted?.login(actor);
    this.#options.log.info(
      { event: 'login', login: actor.login, fingerprint: actor.fingerprint, address: actor.address },
      `login of ${actor.name} (${actor.role}) over ${actor.entryPoint}@`,
    );
    void this.#append({
      type: 'login',
      actor: recordActor(actor),
      ...(means === undefined
        ? {}
        : {
            by: {
              method: means.method,
              algorithm: means.algorithm,
              ...(means.transport === undefined ? {} : { transport: { ...means.transport } }),
            },
          }),
    });
  }

  /** Records the end of a login. `reason` says why core ended it; undefined if the client left. */
  closed(actor: Actor, since: Date, reason: string | undefined): void {
    if (actor.entryPoint === 'local') return;
    const durationMs = Math.max(0, this.#options.now() - since.getTime());
    this.#options.log.info(
      { event: 'logout', login: actor.login, durationMs, ...(reason === undefined ? {} : { reason }) },
      `end of the login of ${actor.name}`,
    );
    void this.#append({
      type: 'logout',
      actor: recordActor(actor),
      durationMs,
      ...(reason === undefined ? {} : { reason: reason.slice(0, 300) }),
    });
  }

  /** Records rejected logins. */
  refusals(report: RefusalReport): void {
    this.#options.counted?.refusals(report);
    this.#authLog.report(report);
    this.#records.report(report);
  }

  unsupportedRequests(actor: Actor, counts: UnsupportedRequestCounts): void {
    this.#unsupportedRequests.report(actor, counts);
  }

  /** Records an invalid proof. An honest front rejects it before it reaches core. */
  proofRejected(username: string, address: string): void {
    this.refusals({
      counted: [{ source: address, reason: 'proof', entryPoint: triedEntryPoint(username), count: 1, ports: [0] }],
      others: {},
    });
  }

  /** Writes what is still in memory. */
  async settled(): Promise<void> {
    await this.#records.flush();
    await this.#unsupportedRequests.flush();
  }

  /**
   * Never rejects. A login that cannot be recorded is allowed all the same, or no admin could log in to look at the
   * full disk. Verbs that change something are refused then.
   */
  async #append(entry: { type: string } & JsonObject): Promise<void> {
    try {
      await this.#options.append(entry);
    } catch (error) {
      this.#options.log.error(
        { record: entry.type, why: Failure.from(error).message },
        'a record could not be written to the journal',
      );
    }
  }
}
