/** Runs every command of the simulated host: logs it, applies its fault, waits, and saves the state. */
import type { LifecycleEvent } from '../../host/incus/streams.ts';
import type { Answer, World } from '../program/answer.ts';
import type { CommandLog } from './commandLog.ts';
import { uuidOf } from '../state/deterministic.ts';
import type { FaultMode, FaultSubject, Faults } from './faults.ts';
import type { LifecycleEvents } from '../state/lifecycleEvents.ts';
import type { UnderwayRecord } from '../state/state.ts';
import type { StateStore } from '../state/store.ts';
import type { Wait } from './wait.ts';

/** A command to run through the gate. */
export interface Passage<T extends { readonly changed: boolean } = Answer> {
  readonly subject: FaultSubject;
  readonly isLong: boolean;
  /** Time limit of the command, in milliseconds: how long it hangs. */
  readonly limitMs: number;
  readonly signal?: AbortSignal | undefined;
  /** The work that the server carries on with when the client is gone, if any. */
  readonly background?: Omit<UnderwayRecord, 'id' | 'doneAtMs'> | undefined;
  /** Does the work: changes the state in place, synchronously. */
  effect(world: World): T;
  /** Returns the answer of a command that a fault makes fail. */
  failed(how: 'fault' | 'lock' | 'down', message?: string): T;
  timedOut(): Error;
  cancelled(): Error;
}

export interface GateOptions {
  readonly store: StateStore;
  readonly log: CommandLog;
  readonly faults: Faults;
  readonly wait: Wait;
  readonly lifecycleEvents: LifecycleEvents;
  /** Duration of long work, in milliseconds. */
  readonly paceMs: number;
  /** Factor applied to the time limits of hanging commands. */
  readonly timeScale: number;
  /** How long the server works on after its client is gone, in milliseconds. */
  readonly lateMs: number;
  /** Does the work that a client left behind. Its answer is dropped. */
  readonly finish: (world: World, work: UnderwayRecord) => void;
  /** Kills this process at once. */
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
    const { mode, message } = faults.next(passage.subject) ?? {};
    this.#finishDue();
    if (mode !== undefined && isLate(mode))
      this.#leaveBehind(passage, mode === 'hang-late' ? this.#hangMs(passage) : 0);
    if (mode === 'fail-before' || mode === 'fail-late') return passage.failed('fault', message);
    if (mode === 'lock' || mode === 'down') return passage.failed(mode);
    if (mode === 'kill-before' || mode === 'kill-late') await this.#die();
    if (mode === 'hang' || mode === 'hang-late') throw await this.#hang(passage);
    // The wait comes before the work, so that a cancelled command has changed nothing.
    if (passage.isLong && paceMs > 0 && (await this.#options.wait(paceMs, passage.signal)) === 'aborted')
      throw passage.cancelled();
    const answer = this.#perform(passage);
    if (mode === 'kill-after') await this.#die();
    if (mode === 'hang-after') throw await this.#hang(passage);
    return mode === 'fail-after' ? passage.failed('fault', message) : answer;
  }

  /** Does the work left behind that is due by now. Called before each command, so that the command sees its effect. */
  #finishDue(): void {
    const { store, finish } = this.#options;
    const due = store.state.underway.filter(({ doneAtMs }) => doneAtMs <= store.nowMs);
    if (due.length === 0) return;
    store.state.underway = store.state.underway.filter((work) => !due.includes(work));
    this.#change((world) => {
      for (const work of due) finish(world, work);
      return { changed: true };
    });
  }

  #leaveBehind(passage: Pick<Passage, 'background'>, clientMs: number): void {
    if (passage.background === undefined) return;
    const { store, lateMs } = this.#options;
    store.state.serial += 1;
    const work = {
      ...passage.background,
      id: uuidOf(`operation ${store.state.serial}`),
      doneAtMs: store.nowMs + clientMs + lateMs,
    };
    store.state.underway.push(work);
    store.save();
  }

  #perform<T extends { readonly changed: boolean }>(passage: Passage<T>): T {
    return this.#change((world) => passage.effect(world));
  }

  /** Applies a change, saves it, and publishes its events last, so that no event precedes a failed save. */
  #change<T extends { readonly changed: boolean }>(effect: (world: World) => T): T {
    const { store, lifecycleEvents } = this.#options;
    const { nowMs } = store;
    const events: LifecycleEvent[] = [];
    const at = new Date(nowMs).toISOString();
    const answer = effect({
      state: store.state,
      nowMs,
      emit: (action, instance) => void events.push({ action, instance, at }),
    });
    if (answer.changed) store.save();
    lifecycleEvents.publish(events);
    return answer;
  }

  /** Never resolves: the signal may take a moment to arrive. */
  #die(): Promise<never> {
    this.#options.kill();
    return new Promise(() => undefined);
  }

  #hangMs({ limitMs }: Pick<Passage, 'limitMs'>): number {
    return limitMs * this.#options.timeScale;
  }

  async #hang(passage: Pick<Passage, 'limitMs' | 'signal' | 'timedOut' | 'cancelled'>): Promise<Error> {
    const ended = await this.#options.wait(this.#hangMs(passage), passage.signal);
    return ended === 'aborted' ? passage.cancelled() : passage.timedOut();
  }
}

function isLate(mode: FaultMode): boolean {
  return mode === 'fail-late' || mode === 'hang-late' || mode === 'kill-late';
}
