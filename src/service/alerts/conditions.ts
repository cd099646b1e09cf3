/** Looks at the conditions for which there are alerts. */
import type { AlertCode } from '../../domain/results/alerts.ts';
import { Failure } from '../../domain/failure.ts';
import { hourMs } from '../../domain/values/duration.ts';
import type { AlertContext } from './alertContext.ts';
import type { Finding, Look } from './advance.ts';
import { atBackups, atContainers, atFirewall, atPool, atPoolSpace } from './hostConditions.ts';
import {
  atAnchors,
  atBans,
  atCertificates,
  atChannels,
  atClock,
  atJobs,
  atKeys,
  atOperations,
  atState,
} from './serverConditions.ts';

export interface Condition {
  readonly code: AlertCode;
  /** What is looked at, as the object of "cannot tell". */
  readonly what: string;
  /** Time between two looks, in milliseconds; at every round if undefined. */
  readonly everyMs?: number;
  readonly look: (context: AlertContext, signal: AbortSignal) => Promise<readonly Finding[]> | readonly Finding[];
}

const conditions: readonly Condition[] = [
  { code: 'pool', what: 'whether the storage pool is healthy', look: atPool },
  { code: 'pool-space', what: 'how full the storage pools are', look: atPoolSpace },
  { code: 'quota', what: 'how full the containers are', look: atContainers },
  { code: 'firewall', what: 'whether the firewall is in force', look: atFirewall },
  // A store may be far away, and have many backups.
  { code: 'backup', what: 'whether the backups are in order', everyMs: hourMs, look: atBackups },
  { code: 'ban-storm', what: 'how many sources are banned', look: atBans },
  { code: 'certificate', what: 'when certificates expire', look: atCertificates },
  { code: 'key', what: 'when keys of admins expire', look: atKeys },
  { code: 'state', what: 'how much room the state has', look: atState },
  { code: 'operation', what: 'whether operations are unfinished', look: atOperations },
  { code: 'job', what: 'whether jobs failed', look: atJobs },
  { code: 'clock', what: 'whether the clock can be trusted', look: atClock },
  { code: 'anchor', what: 'whether the journal was anchored', look: atAnchors },
  { code: 'channel', what: 'whether messages were delivered', look: atChannels },
];

/** Number of looks in a row that must not find a condition before it is over. */
const settleLooks = 3;
/** Limit of a look, in milliseconds. */
const lookMs = 60_000;

/** Looks at the conditions, each as often as it says. */
export class Conditions {
  readonly #conditions: readonly Condition[];
  /** When each was looked at last, by performance.now(). */
  readonly #lookedMs = new Map<AlertCode, number>();
  /** What has not answered in time, such as a folder on a server that is gone: it is not asked a second time. */
  readonly #hanging = new Set<AlertCode>();

  constructor(own = conditions) {
    this.#conditions = own;
  }

  /** Looks at those that are due. Never rejects: a look that failed says so. */
  look(context: AlertContext): Promise<Look[]> {
    const nowMs = performance.now();
    const due = this.#conditions.filter(
      ({ code, everyMs = 0 }) => nowMs - (this.#lookedMs.get(code) ?? -Infinity) >= everyMs,
    );
    return Promise.all(
      due.map(async (condition): Promise<Look> => {
        const look = await this.#lookAt(condition, context);
        // What could not be told is asked again at the next round.
        if (!('failure' in look)) this.#lookedMs.set(condition.code, nowMs);
        return look;
      }),
    );
  }

  async #lookAt({ code, what, everyMs, look }: Condition, context: AlertContext): Promise<Look> {
    try {
      const findings = await this.#answered(code, (signal) => look(context, signal));
      return { code, findings, settle: everyMs === undefined ? settleLooks : 1 };
    } catch (error) {
      const failure = Failure.from(error);
      const text = `cannot tell ${what}: ${failure.what}: ${failure.why}`;
      return {
        code,
        failure: { subject: code, severity: 'problem', text, next: failure.next ?? '"doctor" checks the host' },
      };
    }
  }

  /** Returns the answer of a look, or rejects when it takes too long, whether or not the look minds its signal. */
  async #answered<T>(code: AlertCode, look: (signal: AbortSignal) => T | Promise<T>): Promise<T> {
    const silent = new Failure('timeout', {
      what: 'the host',
      why: `it did not answer within ${lookMs / 1000} seconds`,
    });
    if (this.#hanging.has(code)) throw silent;
    const limit = new AbortController();
    const looking = Promise.try(() => look(limit.signal));
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      this.#hanging.add(code);
      limit.abort();
      late.reject(silent);
    }, lookMs).unref();
    const ended = looking.finally(() => {
      clearTimeout(timer);
      this.#hanging.delete(code);
    });
    return Promise.race([ended, late.promise]);
  }
}
