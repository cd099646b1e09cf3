/**
 * A host with Incus, accounts and containers, in memory and in one JSON file: for trying everything without Incus, and
 * for tests that fail any step. It answers the commands that `src/host` issues in the formats of Incus 6.0.4, shadow
 * 4.13 and OpenSSH 9.2.
 */
import type { IncusStreams } from '../host/incus/streams.ts';
import type { JumpKeys } from '../host/jumpKeys.ts';
import type { Runner } from '../host/runner.ts';
import { CommandLog } from './faults/commandLog.ts';
import { Faults } from './faults/faults.ts';
import type { FaultPlan } from './faults/faults.ts';
import { Gate } from './faults/gate.ts';
import { Happenings } from './state/lifecycleEvents.ts';
import { SimulatedJumpKeys } from './accounts/jumpKeys.ts';
import { finishUnderway, SimulatedRunner } from './runner.ts';
import { StateStore } from './state/store.ts';
import { SimulatedStreams } from './incus/streams.ts';
import { wait } from './faults/wait.ts';

export interface SimulatedHostOptions {
  /** How long create, start, stop, publish and their like take, in milliseconds. Default 0. */
  readonly paceMs?: number;
  /**
   * Time limits of commands that hang because of a fault are multiplied by this, so that tests need not wait. Default
   * 1.
   */
  readonly timeScale?: number;
  /**
   * How long Incus goes on with work whose client is gone because of a fault, and a stream that a fault ends, in
   * milliseconds. Default 500.
   */
  readonly lateMs?: number;
  /** Faults from the start. */
  readonly faults?: FaultPlan;
  /**
   * A JSON file with a {@link FaultPlan}, read before each command; used-up faults are taken out of it. It need not
   * exist.
   */
  readonly faultsPath?: string;
  /** Appended to: one JSON line per command, see {@link CommandLog}. */
  readonly logPath?: string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export class SimulatedHost {
  readonly runner: Runner;
  readonly jumpKeys: JumpKeys;
  readonly streams: IncusStreams;

  private constructor(gate: Gate, happenings: Happenings, lateMs: number) {
    this.runner = new SimulatedRunner(gate);
    this.jumpKeys = new SimulatedJumpKeys(gate);
    this.streams = new SimulatedStreams(gate, happenings, lateMs);
  }

  /**
   * Opens the host kept in the JSON file `path`, or a fresh one where there is no such file. One process at a time: the
   * file is read here only. Throws a `settings` failure for a file that cannot be used.
   */
  static open(path: string, options: SimulatedHostOptions = {}): SimulatedHost {
    const happenings = new Happenings();
    const lateMs = options.lateMs ?? 500;
    return new SimulatedHost(
      new Gate({
        store: new StateStore(path, options.now ?? Date.now),
        log: new CommandLog(options.logPath),
        faults: new Faults(options.faults ?? [], options.faultsPath),
        wait,
        happenings,
        paceMs: options.paceMs ?? 0,
        timeScale: options.timeScale ?? 1,
        lateMs,
        finish: finishUnderway,
        // SIGKILL cannot be caught: nothing of this process runs after it.
        kill: () => process.kill(process.pid, 'SIGKILL'),
      }),
      happenings,
      lateMs,
    );
  }
}
