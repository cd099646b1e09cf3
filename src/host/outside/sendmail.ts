/** The mail server of this host, through the program that every mail server has (sendmail(8), exim(8), msmtp(1)). */
import type { Runner } from '../runner.ts';

/** Most only queue the message. msmtp delivers it at once. */
const limitMs = 60_000;

/**
 * Hands a message to the mail server: RFC 5322, with its recipients in its own header (`-t`). A line with a single dot
 * does not end it (`-i`). Rejects as the runner does; `program-missing` if the host has no mail server.
 */
export async function sendmail(runner: Runner, message: string, signal?: AbortSignal): Promise<void> {
  await runner.run({ program: 'sendmail', args: ['-t', '-i'], input: message, timeoutMs: limitMs, signal });
}
