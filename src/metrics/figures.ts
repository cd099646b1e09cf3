/** Figures for Prometheus. No label has a value that a client chooses: each is one of a list of ours. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Actor } from '../domain/access/actor.ts';
import type { LoginInfo } from '../domain/access/login.ts';
import { refusalReasonNames, type RefusalReport } from '../domain/access/refusal.ts';

export interface MetricsSources {
  readonly logins: () => readonly LoginInfo[];
  readonly operations: () => { readonly open: number; readonly unfinished: number };
  readonly journalHead: () => number;
}

/** How a call ended: refused before it began, or after. */
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
    // Memory, CPU, descriptors and event loop lag of core.
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
      help: 'Calls by verb and outcome, and how long they took',
      labelNames: ['verb', 'outcome'],
      buckets: [0.05, 0.2, 1, 5, 20, 60, 300],
      registers,
    });
    this.#restarts = new Counter({
      name: 'containarium_front_restarts_total',
      help: 'Times that the process which speaks SSH was replaced',
      registers,
    });
    this.#incus = new Gauge({
      name: 'containarium_incus_up',
      help: 'Whether Incus answered when it was last asked, at most half a minute ago',
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
      help: 'Logins over ssh at this moment',
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
    gauge('containarium_shells', 'Shells that are open', () =>
      sources.logins().reduce((sum, { shells }) => sum + shells, 0),
    );
    gauge(
      'containarium_operations_in_progress',
      'Changes at work, or waiting to be taken back',
      () => sources.operations().open,
    );
    gauge(
      'containarium_operations_unfinished',
      'Changes that nobody is working on and that are not taken back yet',
      () => sources.operations().unfinished,
    );
    gauge('containarium_journal_head_seq', 'Number of the last record of the journal', sources.journalHead);
  }

  login({ entryPoint }: Actor): void {
    this.#logins.inc({ entry_point: entryPoint });
  }

  refusals({ counted, others }: RefusalReport): void {
    for (const { reason, count } of counted) this.#refusals.inc({ reason }, count);
    for (const [reason, count] of Object.entries(others)) this.#refusals.inc({ reason }, count);
  }

  /** `verb` is a name of the catalogue. */
  call(verb: string, outcome: CallOutcome, durationMs: number): void {
    this.#verbs.observe({ verb, outcome }, durationMs / 1000);
  }

  frontReplaced(): void {
    this.#restarts.inc();
  }

  incus(up: boolean): void {
    this.#incus.set(up ? 1 : 0);
  }

  /** In Prometheus's text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
