/** What every effect of the simulated host passes: the command log, the fault plan, the pace, and saving. */
import type { LifecycleEvent } from '../../host/incus/streams.ts';
import type { Answer, World } from '../program/answer.ts';
import type { CommandLog } from './commandLog.ts';
import { uuidOf } from '../state/deterministic.ts';
import type { FaultMode, FaultSubject, Faults } from './faults.ts';
import type { Happenings } from '../state/lifecycleEvents.ts';
import type { UnderwayRecord } from '../state/state.ts';
import type { StateStore } from '../state/store.ts';
import type { Wait } from './wait.ts';

/** One command on its way through the gate. */
export interface Passage<T extends { readonly changed: boolean } = Answer> {
  readonly subject: FaultSubject;
  readonly isLong: boolean;
  /** How long a hanging command takes to end, in milliseconds. */
  readonly limitMs: number;
  readonly signal?: AbortSignal | undefined;
  /** What goes on by itself when the command's own process is gone; nothing where that ends the work. */
  readonly background?: Omit<UnderwayRecord, 'id' | 'doneAtMs'> | undefined;
  /** The work itself: synchronous, on the state in place. */
  effect(world: World): T;
  /** The answer of a command that fails because of a fault. */
  failed(how: 'fault' | 'lock' | 'down', message?: string): T;
  /** The errors of a command that hung to its time limit, and of one that was cancelled. */
  timedOut(): Error;
  cancelled(): Error;
}

export interface GateOptions {
  readonly store: StateStore;
  readonly log: CommandLog;
  readonly faults: Faults;
  readonly wait: Wait;
  readonly happenings: Happenings;
  /** How long long work takes, in milliseconds. */
  readonly paceMs: number;
  /** Time limits of hanging commands are multiplied by this. */
  readonly timeScale: number;
  /** How long work goes on when its client is gone, in milliseconds. */
  readonly lateMs: number;
  /** Does what was left under way; what it would answer nobody hears. */
  readonly finish: (world: World, work: UnderwayRecord) => void;
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
    const { mode, message } = faults.next(passage.subject) ?? {};
    this.#finishDue();
    if (mode !== undefined && isLate(mode))
      this.#leaveBehind(passage, mode === 'hang-late' ? this.#hangMs(passage) : 0);
    if (mode === 'fail-before' || mode === 'fail-late') return passage.failed('fault', message);
    if (mode === 'lock' || mode === 'down') return passage.failed(mode);
    if (mode === 'kill-before' || mode === 'kill-late') await this.#die();
    if (mode === 'hang' || mode === 'hang-late') throw await this.#hang(passage);
    // Cancelled while it is still at work: nothing was done yet.
    if (passage.isLong && paceMs > 0 && (await this.#options.wait(paceMs, passage.signal)) === 'aborted')
      throw passage.cancelled();
    const answer = this.#perform(passage);
    if (mode === 'kill-after') await this.#die();
    if (mode === 'hang-after') throw await this.#hang(passage);
    return mode === 'fail-after' ? passage.failed('fault', message) : answer;
  }

  /** Work left behind takes its effect when its time has come, seen by whoever looks next. */
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

  /** Lets something happen, saves it, and tells of it: nobody hears of what was not saved. */
  #change<T extends { readonly changed: boolean }>(effect: (world: World) => T): T {
    const { store, happenings } = this.#options;
    const { nowMs } = store;
    const events: LifecycleEvent[] = [];
    const at = new Date(nowMs).toISOString();
    const answer = effect({
      state: store.state,
      nowMs,
      happened: (action, instance) => void events.push({ action, instance, at }),
    });
    if (answer.changed) store.save();
    happenings.publish(events);
    return answer;
  }

  /** Never ends, should the signal take a moment to arrive. */
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
