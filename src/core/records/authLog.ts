/**
 * One line in the log for each failed login, for people and for programs that ban by it (systemd/fail2ban/). It is
 * written here and not by the front, so that its form and its rate are core's: nothing is in it but an address, a port,
 * one of our login names or "other", and words of ours.
 */
import type { Logger } from 'pino';
import { failedLogins, refusalReasons, type RefusalReport } from '../../domain/access/refusal.ts';

/**
 * Lines in each such time, in milliseconds: enough for hundreds of sources to be banned in a minute, and no disk is
 * filled.
 */
const everyMs = 10_000;
const maxLines = 500;

export class AuthLog {
  readonly #log: Pick<Logger, 'warn'>;
  readonly #now: () => number;
  #sinceMs = -Infinity;
  #lines = 0;
  #leftOut = 0;

  constructor(log: Pick<Logger, 'warn'>, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  report({ counted, others }: RefusalReport): void {
    for (const { source, reason, entryPoint, count, ports } of counted) {
      if (!failedLogins.has(reason)) continue;
      for (const port of ports)
        this.#write(
          `authentication failure from ${source} port ${port} (${entryPoint ?? 'other'}): ${refusalReasons[reason]}`,
        );
      this.#leftOut += Math.max(0, count - ports.length);
    }
    for (const [reason, count] of Object.entries(others)) if (failedLogins.has(reason as never)) this.#leftOut += count;
  }

  #write(message: string): void {
    const nowMs = this.#now();
    if (nowMs - this.#sinceMs >= everyMs) {
      this.#sinceMs = nowMs;
      this.#lines = 0;
      if (this.#leftOut > 0)
        this.#log.warn(
          { event: 'auth-failures-left-out', count: this.#leftOut },
          'more failed logins than there are lines for',
        );
      this.#leftOut = 0;
    }
    if (++this.#lines > maxLines) this.#leftOut++;
    else this.#log.warn({ event: 'auth-failure' }, message);
  }
}
