/**
 * Tells systemd how the server is (sd_notify(3)): when it serves, when it stops, and, as long as its event loop runs,
 * that it is alive. systemd kills and restarts a server that does not say so for `WatchdogSec`. It goes through
 * systemd-notify(1), because Node.js has no datagram sockets of Unix.
 */
import { Failure } from '../domain/failure.ts';
import type { Runner } from '../host/runner.ts';

const notifyMs = 10_000;

export class ServiceManager {
  readonly #runner: Runner;
  readonly #isPresent: boolean;
  /** Interval between signs of life, in milliseconds: half of what systemd allows (sd_watchdog_enabled(3)). */
  readonly #everyMs: number | undefined;
  readonly #onTrouble: (why: string) => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(env: NodeJS.ProcessEnv, runner: Runner, onTrouble: (why: string) => void) {
    this.#runner = runner;
    this.#onTrouble = onTrouble;
    this.#isPresent = env['NOTIFY_SOCKET'] !== undefined;
    const usec = Number(env['WATCHDOG_USEC']);
    this.#everyMs = usec > 0 ? usec / 2000 : undefined;
  }

  /** Says that the server serves, and from now on that it is alive. */
  async ready(status: string): Promise<void> {
    await this.#notify(['--ready', `--status=${status}`]);
    if (!this.#isPresent || this.#everyMs === undefined) return;
    this.#timer = setInterval(() => void this.#notify(['WATCHDOG=1']), this.#everyMs).unref();
  }

  /** Says that the server stops. systemd then waits for its end (`TimeoutStopSec`). */
  async stopping(): Promise<void> {
    clearInterval(this.#timer);
    await this.#notify(['STOPPING=1']);
  }

  /** Never rejects: a server that cannot say how it is still serves, until the watchdog ends it. */
  async #notify(args: readonly string[]): Promise<void> {
    if (!this.#isPresent) return;
    try {
      await this.#runner.run({ program: 'systemd-notify', args, timeoutMs: notifyMs });
    } catch (error) {
      this.#onTrouble(Failure.from(error).message);
    }
  }
}
