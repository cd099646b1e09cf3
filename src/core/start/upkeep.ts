/** What core does at its start and then at intervals. */
import type { Logger } from 'pino';
import { Failure } from '../../domain/failure.ts';
import type { Operations } from '../../journal/operations.ts';

/** Calls `act` at intervals in milliseconds, and skips a tick while the previous call still runs. */
export function every(ms: number, act: () => Promise<void>): NodeJS.Timeout {
  let running = false;
  const tick = async (): Promise<void> => {
    if (running) return;
    running = true;
    await act().finally(() => (running = false));
  };
  return setInterval(() => void tick(), ms).unref();
}

/** Loads or checks the firewall. A failure does not stop the server: it is logged, and `doctor` shows it. */
export async function withFirewall(act: () => Promise<void>, log: Logger): Promise<void> {
  try {
    await act();
  } catch (error) {
    const { what, why } = Failure.from(error);
    log.error({ what, why }, 'the firewall around the containers could not be loaded');
  }
}

/** Ends operations that an earlier start has left unfinished. */
export async function recover(operations: Operations, log: Logger): Promise<void> {
  if (operations.unfinished().length === 0) return;
  const left = await operations.recover();
  for (const operation of left)
    log.error(
      { operation: operation.id, verb: operation.verb, target: operation.target },
      'an operation could not be undone yet',
    );
}
