/** Starts the metrics: their collection in core, and the process that serves them. */
import type { Logger } from 'pino';
import { programFile } from '../domain/packageRoot.ts';
import { Metrics, type MetricsSources } from './metrics.ts';
import { MetricsProcess, type BoundPort } from './metricsProcess.ts';

export interface RunningMetrics {
  readonly metrics: Metrics;
  stop(): void;
}

export interface MetricsOptions {
  readonly port: BoundPort;
  /** The user to which the process drops. Only root can set one. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  readonly build: { readonly version: string; readonly host: string };
  readonly sources: MetricsSources;
  readonly log: Logger;
}

const entry = programFile('metrics/main');

export function startMetrics({ port, user, build, sources, log }: MetricsOptions): RunningMetrics {
  const metrics = new Metrics(sources, build);
  const metricsProcess = new MetricsProcess({ entry, port, user, text: () => metrics.text(), log });
  return { metrics, stop: () => metricsProcess.stop() };
}
