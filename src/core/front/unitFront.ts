/**
 * Runs the front as a systemd unit, containarium-front.service, as the installed service does. Its drop-in,
 * systemd/containarium-front.conf, sets its user and its restrictions.
 *
 * The unit is transient, because only a transient unit can inherit file descriptors: `systemd-run --pipe` passes its
 * own on (systemd-run(1)), here the bound port as standard input and the protocol as standard output. So no socket in
 * the file system lets another program speak to core in the front's place, and the front needs no right to open
 * sockets.
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

const frontUnit = 'containarium-front.service';

/** Limit of one systemctl command, in milliseconds. */
const systemctlTimeoutMs = 20_000;

export interface UnitFrontOptions {
  readonly entry: string;
  readonly log: Logger;
  /** Runs systemctl on the machine itself, even if the host is simulated. */
  readonly runner: Runner;
}

export class UnitFront implements FrontStarter {
  readonly #options: UnitFrontOptions;
  /** The last systemctl command. Commands run one after the other, so that a late kill never hits the next front. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: UnitFrontOptions) {
    this.#options = options;
  }

  async start(listener: Listener): Promise<FrontRun> {
    const { entry, log } = this.#options;
    // A killed core may have left a front behind. Only the new one may run.
    await this.#stopLeftover();
    const args = [
      '--quiet',
      '--pipe',
      '--wait',
      '--collect',
      `--unit=${frontUnit}`,
      '--service-type=exec',
      "--description=Containarium's SSH server",
      // The drop-in sets these too. If it is missing, so are the other restrictions, but the front is not root.
      `--uid=${frontAccount}`,
      '--property=NoNewPrivileges=yes',
      ...Object.entries(frontEnvironment).map(([name, value]) => `--setenv=${name}=${value}`),
      '--',
      ...frontCommand(entry, { channel: 1, listener: 0 }),
    ];
    const child = spawn('systemd-run', args, { stdio: [listener.handle as 'inherit', 'pipe', 'pipe'] });
    const output = logFront(child.stderr, log);
    const ended = new Promise<FrontEnd>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal, lastLine: output.last }));
      child.once('error', (error) => resolve({ code: null, signal: null, lastLine: error.message }));
    });
    // spawn makes its pipes as socket pairs, which work in both directions.
    const channel = child.stdout as unknown as Duplex;
    const kill = (): void => {
      this.#kill().catch((error: unknown) =>
        log.error({ why: Failure.from(error).message }, 'the front could not be killed'),
      );
    };
    return { channel, ended, kill };
  }

  /** Kills every process of the unit. Succeeds if there is none. */
  async #kill(): Promise<void> {
    await this.#systemctl(['kill', '--signal=KILL', frontUnit]);
  }

  async #stopLeftover(): Promise<void> {
    await this.#kill();
    await this.#systemctl(['stop', frontUnit]);
    await this.#systemctl(['reset-failed', frontUnit]);
  }

  #systemctl(args: readonly string[]): Promise<void> {
    // systemctl reports "not loaded" with exit code 1 or 5, depending on the command and the version.
    const done = this.#tail.then(() =>
      this.#options.runner
        .run({ program: 'systemctl', args, timeoutMs: systemctlTimeoutMs, allowExit: [0, 1, 5] })
        .then(() => undefined),
    );
    this.#tail = done.catch(() => undefined);
    return done;
  }
}
