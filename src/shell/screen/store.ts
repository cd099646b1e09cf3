/** The state of a screen, as an external store for React. */
import type { ComposerState } from '../composer/composer.ts';
import type { LiveCall } from '../model/liveCalls.ts';
import type { ConfirmDialog } from './confirmDialog.ts';
import type { FormDialog } from '../forms/formDialog.ts';

export type Dialog = ConfirmDialog | FormDialog;

/** The state of the live part. */
export interface ScreenState {
  readonly composer: ComposerState;
  readonly dialog: Dialog | undefined;
  readonly liveCalls: readonly LiveCall[];
  /** The usage of the verb that is being typed. */
  readonly hint: string | undefined;
  readonly status: string;
}

/** Holds the latest state and notifies its listeners at most once per turn of the event loop. */
export class Store<State> {
  #state: State;
  readonly #listeners = new Set<() => void>();
  #isScheduled = false;

  constructor(state: State) {
    this.#state = state;
  }

  readonly get = (): State => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  set(state: State): void {
    this.#state = state;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      for (const listener of this.#listeners) listener();
    });
  }
}

export class ScreenStore extends Store<ScreenState> {}
