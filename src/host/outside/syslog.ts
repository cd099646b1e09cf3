/** The system log, through logger(1). */
import type { Runner } from '../runner.ts';

/** Writes one line to the system log. */
export async function logToSyslog(runner: Runner, line: string, signal?: AbortSignal): Promise<void> {
  const args = ['-t', 'containarium', '-p', 'authpriv.notice', '--', line];
  await runner.run({ program: 'logger', args, timeoutMs: 10_000, signal });
}
