/** What is at work at the moment: one's own verbs and what other admins have begun. */
import type { RunningCall } from '../../domain/events/notice.ts';
import { showCall } from '../items/words.ts';
import type { StepEvent } from '../../domain/events/callEvent.ts';

export interface LiveCall {
  readonly id: string;
  /** What is shown of it: the line that was typed, or "carol: create bob". */
  readonly title: string;
  /** The verb that runs, and the user whose container it is about. */
  readonly verb: string;
  readonly target: string | null;
  readonly own: boolean;
  readonly startedMs: number;
  readonly steps: readonly StepEvent[];
  readonly notes: readonly string[];
  /** Ends it, where that can be done without leaving something half changed. */
  readonly stop?: (() => void) | undefined;
}

export class LiveCalls {
  #all: readonly LiveCall[] = [];
  readonly #listeners = new Set<() => void>();

  get all(): readonly LiveCall[] {
    return this.#all;
  }

  /** Tells `listener` of every change. Returns how to end that. */
  follow(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  begin(liveCall: Omit<LiveCall, 'steps' | 'notes'> & { readonly steps?: readonly StepEvent[] }): void {
    this.#set([...this.#all.filter(({ id }) => id !== liveCall.id), { notes: [], steps: [], ...liveCall }]);
  }

  beginOther(call: RunningCall, nowMs: number): void {
    // Times of two machines are not compared: what began before we came began when we came.
    const { id, verb, target, steps } = call;
    this.begin({ id, title: `${call.actor}: ${showCall(call)}`, verb, target, own: false, startedMs: nowMs, steps });
  }

  step(id: string, step: StepEvent): void {
    this.#change(id, (liveCall) => ({
      ...liveCall,
      steps: [...liveCall.steps.filter(({ index }) => index !== step.index), step],
    }));
  }

  note(id: string, text: string): void {
    this.#change(id, (liveCall) => ({ ...liveCall, notes: [...liveCall.notes, text] }));
  }

  end(id: string): LiveCall | undefined {
    const found = this.#all.find((liveCall) => liveCall.id === id);
    if (found !== undefined) this.#set(this.#all.filter((liveCall) => liveCall.id !== id));
    return found;
  }

  /** The newest of one's own that can be stopped. */
  get stoppable(): LiveCall | undefined {
    return this.#all.findLast(({ own, stop }) => own && stop !== undefined);
  }

  #change(id: string, change: (liveCall: LiveCall) => LiveCall): void {
    this.#set(this.#all.map((liveCall) => (liveCall.id === id ? change(liveCall) : liveCall)));
  }

  #set(all: readonly LiveCall[]): void {
    this.#all = all;
    for (const listener of this.#listeners) listener();
  }
}
