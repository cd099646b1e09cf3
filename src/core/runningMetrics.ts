/** Figures for Prometheus, from what core knows, and the process that hands them out. */
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import type { Journal } from '../journal/journal.ts';
import type { Operations } from '../journal/operations.ts';
import type { Listening } from '../protocol/messages.ts';
import { nobody } from './frontChoice.ts';
import type { Logins } from './logins.ts';
import { Metrics } from './metrics.ts';
import { MetricsProcess } from './metricsProcess.ts';

export interface RunningMetrics {
  readonly figures: Metrics;
  stop(): void;
}

export interface Known {
  readonly logins: Pick<Logins, 'list'>;
  readonly operations: () => Operations | undefined;
  readonly journal: Pick<Journal, 'head'>;
}

/** Throws `settings` where the address cannot be had. */
export function startMetrics(
  listen: Listening,
  build: { readonly version: string; readonly host: string },
  known: Known,
  log: Logger,
): RunningMetrics {
  const figures = new Metrics(
    {
      logins: () => known.logins.list(),
      operations: () => ({
        open: known.operations()?.open().length ?? 0,
        unfinished: known.operations()?.unfinished().length ?? 0,
      }),
      journalHead: () => known.journal.head.seq,
    },
    build,
  );
  const answering = new MetricsProcess({
    entry: fileURLToPath(
      new URL(import.meta.url.endsWith('.ts') ? '../metrics/main.ts' : '../metrics/main.js', import.meta.url),
    ),
    listen,
    ...(process.getuid?.() === 0 ? { user: nobody } : {}),
    text: () => figures.text(),
    log,
  });
  log.info({ ...answering.where }, 'figures for Prometheus are at /metrics');
  return { figures, stop: () => answering.stop() };
}
