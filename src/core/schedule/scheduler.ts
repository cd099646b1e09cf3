/**
 * Runs jobs at their times. The clock of the host decides when, and it may be wrong: it can be set back, jump ahead, or
 * be years off until the network has corrected it. So what was missed runs once, never once for each time missed; and
 * after a gap in which the server was not seen to run, nothing is deleted until it has run for a day, by the monotonic
 * clock. In that day an admin can see what would be deleted.
 */
import { Cron } from 'croner';
import type { Low } from 'lowdb';
import type { Logger } from 'pino';
import { Failure } from '../../domain/failure.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { JobRun, Schedule, ScheduledJob } from '../../domain/results/schedule.ts';
import { quoted } from '../../domain/text.ts';
import { dayMs, durationInWords, minuteMs } from '../../domain/values/duration.ts';
import type { ServiceContext } from '../../service/context.ts';
import type { Job } from '../../service/jobs/job.ts';
import type { LastRun, ScheduleState } from './scheduleStore.ts';

export interface SchedulerOptions {
  readonly jobs: readonly Job[];
  readonly store: Low<ScheduleState>;
  readonly service: () => ServiceContext;
  readonly append: (entry: { type: string } & JsonObject) => Promise<unknown>;
  readonly log: Logger;
  /** Called after a job, which may have changed who may log in. */
  readonly changed: () => Promise<void>;
  /** Called with a sentence for the admins. */
  readonly announce: (text: string) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonic: () => number;
}

/** A gap between two looks at the clock from which on nothing is deleted for a while, in milliseconds. */
const gapMs = dayMs;
/** For how long, in milliseconds of running. */
const holdMs = dayMs;
/** A delay that is mentioned, in milliseconds. */
const lateMs = 15 * minuteMs;

/** Throws `not-found`. */
export function findJob(jobs: readonly Job[], name: string): Job {
  const job = jobs.find((one) => one.name === name);
  if (job !== undefined) return job;
  throw new Failure('not-found', { what: `job ${quoted(name)}`, why: 'there is none', next: 'see "schedule list"' });
}

/**
 * Jobs of a lane run one after the other. What takes hours, or hangs with a store of backups, does not keep alerts, the
 * trash and the rest waiting.
 */
export const lanes = ['short', 'long'] as const;
type Lane = (typeof lanes)[number];

const laneOf = ({ isLong = false }: Job): Lane => (isLong ? 'long' : 'short');

interface Clocks {
  readonly monotonicMs: number;
  readonly nowMs: number;
}

export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #patterns: ReadonlyMap<string, Cron>;
  /** Both clocks at the last look; undefined before the first. */
  #looked: Clocks | undefined;
  readonly #running: Record<Lane, Promise<unknown>> = { short: Promise.resolve(), long: Promise.resolve() };
  #stopped = false;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#patterns = new Map(options.jobs.map(({ name, pattern }) => [name, new Cron(pattern, { timezone: 'UTC' })]));
  }

  /** Returns what runs when. */
  list(): Schedule {
    const { jobs, store, now } = this.#options;
    const heldMs = Math.abs(this.#look().jumpMs) >= gapMs ? holdMs : store.data.heldMs;
    return {
      jobs: jobs.map((job): ScheduledJob => {
        const known = store.data.jobs[job.name];
        return {
          name: job.name,
          summary: job.summary,
          pattern: job.pattern,
          next: known?.dueAt ?? this.#nextAfter(job, now()),
          lastAt: known?.last?.at ?? null,
          lastOutcome: known?.last?.outcome ?? null,
          lastText: known?.last?.text ?? null,
          lateMs: known?.last?.lateMs ?? 0,
        };
      }),
      heldUntil: heldMs === 0 ? null : new Date(now() + heldMs).toISOString(),
    };
  }

  /** Runs a job now. Its next time stays. Rejects with its failure, or with `not-found`. */
  async run(name: string): Promise<JobRun> {
    const job = findJob(this.#options.jobs, name);
    return this.#alone(laneOf(job), async () => {
      await this.#lookAtClocks();
      const { last, failure } = await this.#attempt(job, 0);
      await this.#remember(job, { last });
      if (failure !== undefined) throw failure;
      return { job: name, text: last.text };
    });
  }

  /** Looks at the clocks and runs what is due in a lane. Never rejects. */
  tick(lane: Lane): Promise<void> {
    return this.#alone(lane, () => this.#tick(lane)).catch((error: unknown) => {
      this.#options.log.error({ why: Failure.from(error).message }, 'the schedule could not be kept');
    });
  }

  /** Begins no further job; resolves when the running ones have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.allSettled(lanes.map((lane) => this.#running[lane]));
  }

  #alone<T>(lane: Lane, act: () => Promise<T>): Promise<T> {
    const next = this.#running[lane].catch(() => undefined).then(act);
    this.#running[lane] = next;
    return next;
  }

  async #tick(lane: Lane): Promise<void> {
    if (this.#stopped) return;
    const { jobs, store, now } = this.#options;
    await this.#lookAtClocks();
    for (const job of jobs.filter((one) => laneOf(one) === lane)) {
      const nowMs = now();
      const known = store.data.jobs[job.name];
      const next = this.#nextAfter(job, nowMs);
      // A job that is new does not run at once, and a clock that was set back does not put one off.
      const dueAt = known === undefined || known.dueAt > next ? next : known.dueAt;
      if (Date.parse(dueAt) > nowMs) {
        if (known?.dueAt !== dueAt) await this.#remember(job, { dueAt });
        continue;
      }
      // The next time is written first: a job that ends the process must not run again at once.
      await this.#remember(job, { dueAt: next });
      const late = nowMs - Date.parse(dueAt);
      const { last } = await this.#attempt(job, late >= lateMs ? late : 0);
      await this.#remember(job, { last });
      if (this.#isStopped()) return;
      // The job may have taken hours, in which the clock may have jumped.
      await this.#lookAtClocks();
    }
  }

  #isStopped(): boolean {
    return this.#stopped;
  }

  /** Compares the clocks with what they were at the last look, in milliseconds. */
  #look(): Clocks & { readonly elapsedMs: number; readonly jumpMs: number } {
    const { store, now, monotonic } = this.#options;
    const [nowMs, monotonicMs] = [now(), monotonic()];
    const before = this.#looked;
    const elapsedMs = before === undefined ? 0 : monotonicMs - before.monotonicMs;
    const seenMs = before?.nowMs ?? (store.data.seenAt === null ? nowMs : Date.parse(store.data.seenAt));
    return { nowMs, monotonicMs, elapsedMs, jumpMs: nowMs - seenMs - elapsedMs };
  }

  /** Notices gaps and jumps, and counts down the time in which nothing is deleted. */
  async #lookAtClocks(): Promise<void> {
    const { store, append, announce, log } = this.#options;
    const before = this.#looked;
    const { nowMs, monotonicMs, elapsedMs, jumpMs } = this.#look();
    this.#looked = { nowMs, monotonicMs };
    const isGap = Math.abs(jumpMs) >= gapMs;
    await store.update((state) => {
      state.seenAt = new Date(nowMs).toISOString();
      state.heldMs = isGap ? holdMs : Math.max(0, state.heldMs - elapsedMs);
    });
    if (!isGap) return;
    const what =
      jumpMs < 0
        ? `the clock went back by ${durationInWords(-jumpMs)}`
        : before === undefined
          ? `the server was down, or the clock went ahead, for ${durationInWords(jumpMs)}`
          : `the clock went ahead by ${durationInWords(jumpMs)}`;
    const text = `${what}: nothing is deleted by the clock for ${durationInWords(holdMs)}`;
    log.warn({ jumpMs }, text);
    await append({ type: 'schedule-held', why: what, forMs: holdMs }).catch(() => undefined);
    announce(`${text}. "schedule list" shows what is due.`);
  }

  async #attempt(job: Job, late: number): Promise<{ readonly last: LastRun; readonly failure?: Failure }> {
    const { service, store, append, changed, announce, now } = this.#options;
    const at = new Date(now()).toISOString();
    let last: LastRun;
    let failure: Failure | undefined;
    let isNews = true;
    try {
      const did = await job.run(service(), { mayDelete: store.data.heldMs === 0 });
      isNews = did !== undefined || late > 0;
      last = { at, outcome: 'ok', text: did ?? 'nothing to do', lateMs: late };
    } catch (error) {
      failure = Failure.from(error);
      last = { at, outcome: 'failed', text: `${failure.what}: ${failure.why}`, lateMs: late };
      announce(`The job "${job.name}" failed: ${last.text}`);
    }
    // A journal that cannot be written must not stop the schedule; the operations of the job have records of their own.
    const record = { type: 'job', job: job.name, outcome: last.outcome, text: last.text, lateMs: late };
    if (isNews) await append(record).catch(() => undefined);
    await changed();
    return failure === undefined ? { last } : { last, failure };
  }

  async #remember(job: Job, change: { readonly dueAt?: string; readonly last?: LastRun }): Promise<void> {
    const { store, now } = this.#options;
    await store.update(({ jobs }) => {
      const known = jobs[job.name] ?? { dueAt: this.#nextAfter(job, now()), last: null };
      jobs[job.name] = { ...known, ...change };
    });
  }

  #nextAfter({ name }: Job, ms: number): string {
    const next = this.#patterns.get(name)?.nextRun(new Date(ms));
    if (next === null || next === undefined) throw new Error(`the job "${name}" has no next time`);
    return next.toISOString();
  }
}
