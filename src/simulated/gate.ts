/** What every effect of the simulated host passes: the command log, the fault plan, the pace, and saving. */
import type { Answer, World } from './answer.ts';
import type { CommandLog } from './commandLog.ts';
import type { FaultSubject, Faults } from './faults.ts';
import type { StateStore } from './store.ts';
import type { Wait } from './wait.ts';

/** One command on its way through the gate. */
export interface Passage<T extends { readonly changed: boolean } = Answer> {
  readonly subject: FaultSubject;
  readonly isLong: boolean;
  /** How long a hanging command takes to end, in milliseconds. */
  readonly limitMs: number;
  readonly signal?: AbortSignal | undefined;
  /** The work itself: synchronous, on the state in place. */
  effect(world: World): T;
  /** The answer of a command that fails because of a fault; `lock` when another program holds the lock of the password files. */
  failed(lock: boolean): T;
  /** The errors of a command that hung to its time limit, and of one that was cancelled. */
  timedOut(): Error;
  cancelled(): Error;
}

export interface GateOptions {
  readonly store: StateStore;
  readonly log: CommandLog;
  readonly faults: Faults;
  readonly wait: Wait;
  /** How long long work takes, in milliseconds. */
  readonly paceMs: number;
  /** Time limits of hanging commands are multiplied by this. */
  readonly timeScale: number;
  /** Ends this process at once. */
  readonly kill: () => void;
}

export class Gate {
  readonly #options: GateOptions;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  async pass<T extends { readonly changed: boolean }>(passage: Passage<T>): Promise<T> {
    const { log, faults, paceMs } = this.#options;
    if (passage.signal?.aborted) throw passage.cancelled();
    log.add(passage.subject);
    const mode = faults.next(passage.subject);
    if (mode === 'fail-before' || mode === 'lock') return passage.failed(mode === 'lock');
    if (mode === 'kill-before') await this.#die();
    if (mode === 'hang') throw await this.#hang(passage);
    // Cancelled while it is still at work: nothing was done yet.
    if (passage.isLong && paceMs > 0 && (await this.#options.wait(paceMs, passage.signal)) === 'aborted') throw passage.cancelled();
    const answer = this.#perform(passage);
    if (mode === 'kill-after') await this.#die();
    if (mode === 'hang-after') throw await this.#hang(passage);
    return mode === 'fail-after' ? passage.failed(false) : answer;
  }

  #perform<T extends { readonly changed: boolean }>(passage: Passage<T>): T {
    const { store } = this.#options;
    const answer = passage.effect({ state: store.state, nowMs: store.nowMs });
    if (answer.changed) store.save();
    return answer;
  }

  /** Never ends, should the signal take a moment to arrive. */
  #die(): Promise<never> {
    this.#options.kill();
    return new Promise(() => undefined);
  }

  async #hang(passage: Pick<Passage, 'limitMs' | 'signal' | 'timedOut' | 'cancelled'>): Promise<Error> {
    const ended = await this.#options.wait(passage.limitMs * this.#options.timeScale, passage.signal);
    return ended === 'aborted' ? passage.cancelled() : passage.timedOut();
  }
}
