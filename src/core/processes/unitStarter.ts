/**
 * Runs a process as a systemd unit, containarium-front.service or containarium-remote.service, as the installed service
 * does. The unit's drop-in, systemd/containarium-front.conf or containarium-remote.conf, sets user and restrictions.
 *
 * The unit is transient, because only a transient unit can inherit file descriptors: `systemd-run --pipe` passes its
 * own on (systemd-run(1)), here the bound port as standard input and the protocol as standard output. So no socket in
 * the file system lets another program speak to core in the place of the process, which needs no right to open
 * sockets.
 */
import { realpathSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Logger } from 'pino';
import { Failure } from '../../domain/failure.ts';
import { packageRoot } from '../../domain/packageRoot.ts';
import type { Runner } from '../../host/runner.ts';
import { installedProgram } from '../../settings/home.ts';
import {
  processCommand,
  processEnvironment,
  type ProcessKind,
  type ProcessRun,
  type ProcessStarter,
} from './processStarter.ts';
import { spawnProcess } from './spawnedProcess.ts';
import type { Listener } from './listener.ts';

/** Limit of one systemctl command, in milliseconds. */
const systemctlTimeoutMs = 20_000;

/**
 * Returns the name that a path of the program has in the unit: its root has the installed program under the name of the
 * link alone. A program that is not installed keeps its paths.
 */
function inUnit(word: string): string {
  if (!word.startsWith(`${packageRoot}/`) || !isInstalled()) return word;
  return join(installedProgram, relative(packageRoot, word));
}

function isInstalled(): boolean {
  try {
    return realpathSync(installedProgram) === packageRoot;
  } catch {
    return false;
  }
}

export interface UnitStarterOptions {
  readonly kind: ProcessKind;
  readonly entry: string;
  readonly log: Logger;
  /** Runs systemctl on the machine itself, even if the host is simulated. */
  readonly runner: Runner;
  /** systemd-run(1). Default: the system's. */
  readonly systemdRun?: string;
}

export class UnitStarter implements ProcessStarter {
  readonly #options: UnitStarterOptions;
  /** The last systemctl command. Commands run one after the other, so that a late kill never hits the next process. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: UnitStarterOptions) {
    this.#options = options;
  }

  async start(listener: Listener): Promise<ProcessRun> {
    const { kind, entry, log, systemdRun = '/usr/bin/systemd-run' } = this.#options;
    // A killed core may have left a process behind. Only the new one may run.
    await this.#stopLeftover();
    const args = [
      '--quiet',
      '--pipe',
      '--wait',
      '--collect',
      `--unit=${kind.unit}`,
      '--service-type=exec',
      `--description=${kind.description}`,
      // The drop-in sets these too. If it is missing, so are the other restrictions, but the process is not root.
      `--uid=${kind.account}`,
      '--property=NoNewPrivileges=yes',
      ...Object.entries(processEnvironment).map(([name, value]) => `--setenv=${name}=${value}`),
      '--',
      ...processCommand(entry).map(inUnit),
    ];
    const { channel, ended } = spawnProcess([systemdRun, ...args], { kind, listener, log });
    const kill = (): void => {
      this.#kill().catch((error: unknown) =>
        log.error({ why: Failure.from(error).message }, `${kind.label} could not be killed`),
      );
    };
    return { channel, ended, kill };
  }

  /** Kills every process of the unit. Succeeds if there is none. */
  async #kill(): Promise<void> {
    await this.#systemctl(['kill', '--signal=KILL', this.#options.kind.unit]);
  }

  async #stopLeftover(): Promise<void> {
    await this.#kill();
    const { unit } = this.#options.kind;
    await this.#systemctl(['stop', unit]);
    await this.#systemctl(['reset-failed', unit]);
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
