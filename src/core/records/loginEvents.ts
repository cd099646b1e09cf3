/**
 * What becomes of logins, of refusals, and of what is asked for and not offered, outside of core's memory: journal,
 * log, and who counts them.
 */
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

  /** Local mode is root on the host, whose logins nobody counts; its verbs are recorded. */
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

  /** `reason`: why this side ended it; undefined where the client left. */
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

  /** What the front reports. */
  refusals(report: RefusalReport): void {
    this.#options.counted?.refusals(report);
    this.#authLog.report(report);
    this.#records.report(report);
  }

  /** Forwarding and the like. */
  unsupportedRequests(actor: Actor, counts: UnsupportedRequestCounts): void {
    this.#unsupportedRequests.report(actor, counts);
  }

  /** A proof that was none: nothing that the front decides by would have let this come to core. */
  notProved(username: string, address: string): void {
    this.refusals({
      counted: [{ source: address, reason: 'proof', entryPoint: triedEntryPoint(username), count: 1, ports: [0] }],
      others: {},
    });
  }

  /** Records what is not recorded yet. */
  async settled(): Promise<void> {
    await this.#records.flush();
    await this.#unsupportedRequests.flush();
  }

  /**
   * A login goes on where it cannot be recorded, or nobody could come to look at the disk that is full; the verbs that
   * change something do not.
   */
  async #append(entry: { type: string } & JsonObject): Promise<void> {
    try {
      await this.#options.append(entry);
    } catch (error) {
      this.#options.log.error(
        { record: entry.type, why: Failure.from(error).message },
        'the journal did not take a record',
      );
    }
  }
}
