/**
 * A simulated host with Incus, accounts and containers, kept in one JSON file. It serves to try the product without
 * Incus, and to test what happens when a step fails. It answers the commands of `src/host` in the formats of Incus
 * 6.0.4, shadow 4.13 and OpenSSH 9.2.
 */
import type { IncusStreams } from '../host/incus/streams.ts';
import type { JumpKeys } from '../host/jumpKeys.ts';
import type { ProgramStreams } from '../host/programStreams.ts';
import type { Runner } from '../host/runner.ts';
import { CommandLog } from './faults/commandLog.ts';
import { Faults } from './faults/faults.ts';
import type { FaultPlan } from './faults/faults.ts';
import { Gate } from './faults/gate.ts';
import { LifecycleEvents } from './state/lifecycleEvents.ts';
import { SimulatedJumpKeys } from './accounts/jumpKeys.ts';
import { finishUnderway, SimulatedRunner } from './runner.ts';
import { StateStore } from './state/store.ts';
import { SimulatedStreams } from './incus/streams.ts';
import { SimulatedProgramStreams } from './zfs/programStreams.ts';
import { SimulatedSshdLog, withSshdLog } from './sshd/sshdLog.ts';
import { wait } from './faults/wait.ts';

export interface SimulatedHostOptions {
  /** Duration of long commands such as create, start, stop and publish, in milliseconds. Default 0. */
  readonly paceMs?: number;
  /** Factor applied to the time limits of commands that hang because of a fault. Tests use a small one. Default 1. */
  readonly timeScale?: number;
  /**
   * How long Incus works on after a fault has ended the client, and how long a stream lives that a fault ends, in
   * milliseconds. Default 500.
   */
  readonly lateMs?: number;
  /** The initial fault plan. */
  readonly faults?: FaultPlan;
  /** A JSON file with a {@link FaultPlan}. It is read before each command, and loses used faults. It may be missing. */
  readonly faultsPath?: string;
  /** File that the {@link CommandLog} appends to. */
  readonly logPath?: string;
  /** File of what the simulated sshd has logged, which {@link SimulatedSshdLog} reads. It may be missing. */
  readonly sshdLogPath?: string | undefined;
  /** Returns the time, in milliseconds since 1970. */
  readonly now?: () => number;
}

export class SimulatedHost {
  readonly runner: Runner;
  readonly programStreams: ProgramStreams;
  readonly jumpKeys: JumpKeys;
  readonly streams: IncusStreams;

  private constructor(
    gate: Gate,
    lifecycleEvents: LifecycleEvents,
    { lateMs, sshdLogPath }: { readonly lateMs: number; readonly sshdLogPath: string | undefined },
  ) {
    this.runner = new SimulatedRunner(gate);
    this.programStreams = withSshdLog(new SimulatedProgramStreams(gate), new SimulatedSshdLog(gate, sshdLogPath));
    this.jumpKeys = new SimulatedJumpKeys(gate);
    this.streams = new SimulatedStreams(gate, lifecycleEvents, lateMs);
  }

  /**
   * Opens the host stored in the JSON file `path`, or a fresh host if there is no such file. Only one process may have
   * it open, because the file is read only here. Throws a `settings` failure if the file is unusable.
   */
  static open(path: string, options: SimulatedHostOptions = {}): SimulatedHost {
    const lifecycleEvents = new LifecycleEvents();
    const lateMs = options.lateMs ?? 500;
    return new SimulatedHost(
      new Gate({
        store: new StateStore(path, options.now ?? Date.now),
        log: new CommandLog(options.logPath),
        faults: new Faults(options.faults ?? [], options.faultsPath),
        wait,
        lifecycleEvents,
        paceMs: options.paceMs ?? 0,
        timeScale: options.timeScale ?? 1,
        lateMs,
        finish: finishUnderway,
        // SIGKILL cannot be caught: no handler of this process runs after it.
        kill: () => process.kill(process.pid, 'SIGKILL'),
      }),
      lifecycleEvents,
      { lateMs, sshdLogPath: options.sshdLogPath },
    );
  }
}
