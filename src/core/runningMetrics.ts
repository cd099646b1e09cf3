/** Starts the process that answers Prometheus, with what core counts. */
import type { Logger } from 'pino';
import type { RunningMetrics } from '../metrics/startMetrics.ts';
import type { Listening } from '../protocol/messages.ts';
import type { Composition } from './compose.ts';
import { bindPort } from './processes/listener.ts';
import { nobody } from './processes/starterChoice.ts';

export async function runMetrics(
  { logins, operations, journal, service }: Composition,
  listen: Listening,
  log: Logger,
): Promise<RunningMetrics> {
  const { startMetrics } = await import('../metrics/startMetrics.ts');
  const port = bindPort(listen);
  const running = startMetrics({
    port,
    user: process.getuid?.() === 0 ? nobody : undefined,
    build: { version: service.version, host: service.host.kind },
    sources: {
      logins: () => logins.list(),
      operations: () => ({ open: operations.open().length, unfinished: operations.unfinished().length }),
      journalHead: () => journal.head.seq,
    },
    log,
  });
  log.info({ ...port.where }, 'metrics for Prometheus are at /metrics');
  return running;
}
