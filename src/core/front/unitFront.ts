/**
 * A front as a unit of systemd's own, containarium-front.service: the way of an installed service. Its user and
 * everything that is taken away from it stand in systemd/containarium-front.conf, which is installed as that unit's
 * drop-in.
 *
 * The unit is a transient one, because only those can be handed file descriptors: `systemd-run --pipe` passes on its
 * own (systemd-run(1)), here the bound port as standard input and the protocol as standard output. So there is no
 * socket in the file system through which anybody could speak to core in a front's place, and the front can do without
 * the right to open any socket at all.
 */
import { spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { Failure } from '../../domain/failure.ts';
import { frontAccount } from '../../host/accounts.ts';
import type { Runner } from '../../host/runner.ts';
import { frontCommand, frontEnvironment, type FrontEnd, type FrontRun, type FrontStarter } from './frontStarter.ts';
import { logFront } from './frontLog.ts';
import type { Listener } from './listener.ts';

export const frontUnit = 'containarium-front.service';

/** Limit of one call of systemctl, in milliseconds. */
const limitMs = 20_000;

export interface UnitFrontOptions {
  readonly entry: string;
  readonly log: Logger;
  /** For systemctl: always the machine's own, also where the host is a simulated one. */
  readonly runner: Runner;
}

export class UnitFront implements FrontStarter {
  readonly #options: UnitFrontOptions;
  /**
   * The last call of systemctl: one after the other, so that a kill that was meant for one front never meets the next.
   */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: UnitFrontOptions) {
    this.#options = options;
  }

  async start(listener: Listener): Promise<FrontRun> {
    const { entry, log } = this.#options;
    // One that a killed core left behind, or that lost its way: there is one front, and it is the one that is started
    // now.
    await this.#end();
    const args = [
      '--quiet',
      '--pipe',
      '--wait',
      '--collect',
      `--unit=${frontUnit}`,
      '--service-type=exec',
      "--description=Containarium's SSH server",
      // Also in the drop-in. Without that, everything else is missing, but at least it is not root.
      `--uid=${frontAccount}`,
      '--property=NoNewPrivileges=yes',
      ...Object.entries(frontEnvironment).map(([name, value]) => `--setenv=${name}=${value}`),
      '--',
      ...frontCommand(entry, { channel: 1, listener: 0 }),
    ];
    const child = spawn('systemd-run', args, { stdio: [listener.handle as 'inherit', 'pipe', 'pipe'] });
    const said = logFront(child.stderr, log);
    const ended = new Promise<FrontEnd>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal, said: said.last }));
      child.once('error', (error) => resolve({ code: null, signal: null, said: error.message }));
    });
    // A pipe of spawn's is a socket pair: both directions are there.
    const channel = child.stdout as unknown as Duplex;
    const kill = (): void => {
      this.#kill().catch((error: unknown) =>
        log.error({ why: Failure.from(error).message }, 'the front could not be killed'),
      );
    };
    return { channel, ended, kill };
  }

  /** Every process of the unit, whatever it calls itself. That there is none is no failure. */
  async #kill(): Promise<void> {
    await this.#systemctl(['kill', '--signal=KILL', frontUnit]);
  }

  async #end(): Promise<void> {
    await this.#kill();
    await this.#systemctl(['stop', frontUnit]);
    await this.#systemctl(['reset-failed', frontUnit]);
  }

  #systemctl(args: readonly string[]): Promise<void> {
    // systemctl says "not loaded" with 1 or 5, depending on the verb and its version.
    const done = this.#tail.then(() =>
      this.#options.runner
        .run({ program: 'systemctl', args, timeoutMs: limitMs, allowExit: [0, 1, 5] })
        .then(() => undefined),
    );
    this.#tail = done.catch(() => undefined);
    return done;
  }
}
