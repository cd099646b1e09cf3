/** The calls that a shell shows as running: its own and those of other admins. */
import type { RunningCall } from '../../domain/events/notice.ts';
import { showCall } from '../items/words.ts';
import type { StepEvent } from '../../domain/events/callEvent.ts';

/**
 * `stop` a call that reads, `cancel` a change and undo it, begin none of the `rest` of several, or `leave` it running
 * in the background.
 */
export type CtrlC = 'stop' | 'cancel' | 'rest' | 'leave';

export interface LiveCall {
  readonly id: string;
  /** The line as typed, or `carol: create bob` for another admin's call. */
  readonly title: string;
  readonly verb: string;
  /** The user whose container the call acts on. */
  readonly target: string | null;
  readonly own: boolean;
  readonly startedMs: number;
  readonly steps: readonly StepEvent[];
  readonly notes: readonly string[];
  /** What Ctrl-C does. Absent for a change that runs to its end. */
  readonly ctrlC?: { readonly does: CtrlC; readonly act: () => void } | undefined;
  /** Ends the program that has the terminal, because its shell ends. */
  readonly hangUp?: (() => void) | undefined;
}

/** How long Ctrl-C means the call that it was about before, in milliseconds. */
const anotherAfterMs = 1500;

/** Returns the own call that the next Ctrl-C is about. */
export function interruptible(liveCalls: readonly LiveCall[]): LiveCall | undefined {
  return liveCalls.findLast(({ own, ctrlC }) => own && ctrlC !== undefined);
}

export class LiveCalls {
  #all: readonly LiveCall[] = [];
  #interrupted: { readonly id: string; readonly atMs: number } | undefined;
  readonly #listeners = new Set<() => void>();

  get all(): readonly LiveCall[] {
    return this.#all;
  }

  /** Calls `listener` on every change. Returns a function that ends that. */
  follow(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  add(call: Omit<LiveCall, 'steps' | 'notes'> & { readonly steps?: readonly StepEvent[] }): void {
    this.#set([...this.#all.filter(({ id }) => id !== call.id), { notes: [], steps: [], ...call }]);
  }

  addOther(call: RunningCall, nowMs: number): void {
    // Core's clock and ours are not compared: an earlier call counts as started now.
    const { id, verb, target, steps } = call;
    this.add({ id, title: `${call.actor}: ${showCall(call)}`, verb, target, own: false, startedMs: nowMs, steps });
  }

  setStep(id: string, step: StepEvent): void {
    this.#change(id, (call) => ({
      ...call,
      steps: [...call.steps.filter(({ index }) => index !== step.index), step],
    }));
  }

  addNote(id: string, text: string): void {
    this.#change(id, (call) => ({ ...call, notes: [...call.notes, text] }));
  }

  remove(id: string): LiveCall | undefined {
    const found = this.#all.find((call) => call.id === id);
    if (found !== undefined) this.#set(this.#all.filter((call) => call.id !== id));
    return found;
  }

  setCtrlC(id: string, ctrlC: LiveCall['ctrlC']): void {
    this.#change(id, (call) => ({ ...call, ctrlC }));
  }

  /** Marks an own call as one for which its line no longer waits. */
  leave(id: string): void {
    this.#change(id, (call) => ({ ...call, own: false, ctrlC: undefined }));
  }

  /** The own call that the next Ctrl-C is about: the newest. */
  get interruptible(): LiveCall | undefined {
    return interruptible(this.#all);
  }

  /**
   * Does what Ctrl-C does to the newest own call. Returns false if it does nothing to any. Who presses it fast means
   * one call: another one is not next at once.
   */
  interrupt(nowMs = performance.now()): boolean {
    const call = this.interruptible;
    if (call?.ctrlC === undefined) return false;
    const isAnother = this.#interrupted !== undefined && this.#interrupted.id !== call.id;
    if (isAnother && call.ctrlC.does !== 'stop' && nowMs - (this.#interrupted?.atMs ?? 0) < anotherAfterMs) return true;
    this.#interrupted = { id: call.id, atMs: nowMs };
    call.ctrlC.act();
    return true;
  }

  /** Ctrl-C leaves the shell from now on: it cancels nothing any more. */
  forgetCancels(): void {
    this.#set(this.#all.map((call) => (call.ctrlC?.does === 'stop' ? call : { ...call, ctrlC: undefined })));
  }

  /** Whether a call of this shell runs. */
  get hasOwn(): boolean {
    return this.#all.some(({ own }) => own);
  }

  /** Resolves when no call of this shell runs. */
  async ownEnded(): Promise<void> {
    while (this.hasOwn) {
      await new Promise<void>((resolve) => {
        const unfollow = this.follow(() => {
          unfollow();
          resolve();
        });
      });
    }
  }

  #change(id: string, change: (call: LiveCall) => LiveCall): void {
    this.#set(this.#all.map((call) => (call.id === id ? change(call) : call)));
  }

  #set(all: readonly LiveCall[]): void {
    this.#all = all;
    for (const listener of this.#listeners) listener();
  }
}
