/** Figures for Prometheus, from what core knows, and the process that hands them out. */
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { Metrics, type MetricsSources } from './figures.ts';
import { MetricsProcess, type BoundPort } from './metricsProcess.ts';

export interface RunningMetrics {
  readonly figures: Metrics;
  stop(): void;
}

export interface MetricsOptions {
  readonly port: BoundPort;
  /** Who the process becomes; only root can give it another user. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  readonly build: { readonly version: string; readonly host: string };
  readonly sources: MetricsSources;
  readonly log: Logger;
}

const entry = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './main.ts' : './main.js', import.meta.url));

export function startMetrics({ port, user, build, sources, log }: MetricsOptions): RunningMetrics {
  const figures = new Metrics(sources, build);
  const answering = new MetricsProcess({ entry, port, user, text: () => figures.text(), log });
  return { figures, stop: () => answering.stop() };
}
