/**
 * Writes one log line for each failed login, for people and for programs such as fail2ban (systemd/fail2ban/). core
 * writes the lines, not the front, so that core controls their form and rate: a line contains an address, a port, one
 * of the login names or "other", and fixed words.
 */
import type { Logger } from 'pino';
import { failedLogins, refusalReasons, type RefusalReport } from '../../domain/access/refusal.ts';

/** At most {@link maxLines} in each period: enough to ban hundreds of sources a minute, too few to fill a disk. */
const periodMs = 10_000;
const maxLines = 500;

export class AuthLog {
  readonly #log: Pick<Logger, 'warn'>;
  readonly #now: () => number;
  #periodBeganMs = -Infinity;
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
    // Also if the clock was set back.
    if (Math.abs(nowMs - this.#periodBeganMs) >= periodMs) {
      this.#periodBeganMs = nowMs;
      this.#lines = 0;
      if (this.#leftOut > 0)
        this.#log.warn(
          { event: 'auth-failures-left-out', count: this.#leftOut },
          'too many failed logins to log each one',
        );
      this.#leftOut = 0;
    }
    if (++this.#lines > maxLines) this.#leftOut++;
    else this.#log.warn({ event: 'auth-failure' }, message);
  }
}
