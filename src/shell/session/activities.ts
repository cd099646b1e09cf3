/** What is at work at the moment: one's own verbs and what other admins have begun. */
import type { RunningCall, StepEvent } from '../../domain/room.ts';

export interface Activity {
  readonly id: string;
  /** What is shown of it: the line that was typed, or "carol: create bob". */
  readonly title: string;
  readonly own: boolean;
  readonly startedMs: number;
  readonly steps: readonly StepEvent[];
  readonly notes: readonly string[];
  /** Ends it, where that can be done without leaving something half changed. */
  readonly stop?: (() => void) | undefined;
}

export class Activities {
  #all: readonly Activity[] = [];

  get all(): readonly Activity[] {
    return this.#all;
  }

  begin(activity: Omit<Activity, 'steps' | 'notes'> & { readonly steps?: readonly StepEvent[] }): void {
    this.#all = [...this.#all.filter(({ id }) => id !== activity.id), { notes: [], steps: [], ...activity }];
  }

  beginOther(call: RunningCall, nowMs: number): void {
    const target = call.target === null ? '' : ` ${call.target}`;
    // Times of two machines are not compared: what began before we came began when we came.
    this.begin({ id: call.id, title: `${call.actor}: ${call.verb}${target}`, own: false, startedMs: nowMs, steps: call.steps });
  }

  step(id: string, step: StepEvent): void {
    this.#change(id, (activity) => ({ ...activity, steps: [...activity.steps.filter(({ index }) => index !== step.index), step] }));
  }

  note(id: string, text: string): void {
    this.#change(id, (activity) => ({ ...activity, notes: [...activity.notes, text] }));
  }

  end(id: string): Activity | undefined {
    const found = this.#all.find((activity) => activity.id === id);
    this.#all = this.#all.filter((activity) => activity.id !== id);
    return found;
  }

  /** The newest of one's own that can be stopped. */
  get stoppable(): Activity | undefined {
    return this.#all.findLast(({ own, stop }) => own && stop !== undefined);
  }

  #change(id: string, change: (activity: Activity) => Activity): void {
    this.#all = this.#all.map((activity) => (activity.id === id ? change(activity) : activity));
  }
}
