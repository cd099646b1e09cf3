/** The metrics for Prometheus. Every label value comes from a fixed list; a client can choose none. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Actor } from '../domain/access/actor.ts';
import type { LoginInfo } from '../domain/access/login.ts';
import { refusalReasonNames, type RefusalReport } from '../domain/access/refusal.ts';

export interface MetricsSources {
  readonly logins: () => readonly LoginInfo[];
  readonly operations: () => { readonly open: number; readonly unfinished: number };
  readonly journalHead: () => number;
}

/** The outcome of a call. A refused call was never started. */
export type CallOutcome = 'ok' | 'failed' | 'refused';

export class Metrics {
  readonly #registry = new Registry();
  readonly #logins: Counter<'entry_point'>;
  readonly #refusals: Counter<'reason'>;
  readonly #verbs: Histogram<'verb' | 'outcome'>;
  readonly #restarts: Counter;
  readonly #incus: Gauge;

  constructor(sources: MetricsSources, build: { readonly version: string; readonly host: string }) {
    const registers = [this.#registry];
    // Memory, CPU time, file descriptors and event loop lag of core.
    collectDefaultMetrics({ register: this.#registry });
    this.#logins = new Counter({
      name: 'containarium_logins_total',
      help: 'Logins over ssh',
      labelNames: ['entry_point'],
      registers,
    });
    this.#refusals = new Counter({
      name: 'containarium_refusals_total',
      help: 'Connections that ended without a login, as the front reports them',
      labelNames: ['reason'],
      registers,
    });
    for (const reason of refusalReasonNames) this.#refusals.inc({ reason }, 0);
    for (const entryPoint of ['manage', 'self']) this.#logins.inc({ entry_point: entryPoint }, 0);
    this.#verbs = new Histogram({
      name: 'containarium_verb_duration_seconds',
      help: 'Duration of calls by verb and outcome',
      labelNames: ['verb', 'outcome'],
      buckets: [0.05, 0.2, 1, 5, 20, 60, 300],
      registers,
    });
    this.#restarts = new Counter({
      name: 'containarium_front_restarts_total',
      help: 'Number of times that the front, the process that speaks SSH, was restarted',
      registers,
    });
    this.#incus = new Gauge({
      name: 'containarium_incus_up',
      help: '1 if Incus answered the last query, which is at most 30 seconds old, otherwise 0',
      registers,
    });
    new Gauge({
      name: 'containarium_build_info',
      help: 'Always 1',
      labelNames: ['version', 'node', 'host'],
      registers,
    }).set({ ...build, node: process.version }, 1);
    const sessions = new Gauge({
      name: 'containarium_sessions',
      help: 'Open logins over ssh',
      labelNames: ['entry_point'],
      registers,
      collect: () => {
        const open = sources.logins();
        for (const entryPoint of ['manage', 'self'])
          sessions.set({ entry_point: entryPoint }, open.filter((login) => login.entryPoint === entryPoint).length);
      },
    });
    const gauge = (name: string, help: string, value: () => number): void => {
      const made: Gauge = new Gauge({ name, help, registers, collect: () => made.set(value()) });
    };
    gauge('containarium_shells', 'Open shells', () => sources.logins().reduce((sum, { shells }) => sum + shells, 0));
    gauge(
      'containarium_operations_in_progress',
      'Operations that are running or waiting to be undone',
      () => sources.operations().open,
    );
    gauge(
      'containarium_operations_unfinished',
      'Operations that failed or were interrupted and have not been undone yet',
      () => sources.operations().unfinished,
    );
    gauge('containarium_journal_head_seq', 'Sequence number of the last record in the journal', sources.journalHead);
  }

  login({ entryPoint }: Actor): void {
    this.#logins.inc({ entry_point: entryPoint });
  }

  refusals({ counted, others }: RefusalReport): void {
    for (const { reason, count } of counted) this.#refusals.inc({ reason }, count);
    for (const [reason, count] of Object.entries(others)) this.#refusals.inc({ reason }, count);
  }

  /** Counts a call. `verb` must be a name of the catalogue, because it becomes a label. */
  call(verb: string, outcome: CallOutcome, durationMs: number): void {
    this.#verbs.observe({ verb, outcome }, durationMs / 1000);
  }

  frontReplaced(): void {
    this.#restarts.inc();
  }

  incus(up: boolean): void {
    this.#incus.set(up ? 1 : 0);
  }

  /** Returns all metrics in Prometheus's text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
