/** What is shown, for React to follow. */
import type { ComposerState } from '../composer/composer.ts';
import type { LiveCall } from '../model/liveCalls.ts';
import type { ConfirmDialog } from './dialog.ts';
import type { FormDialog } from '../forms/form.ts';

export type Dialog = ConfirmDialog | FormDialog;

/** The live part of the conversation. */
export interface ScreenState {
  readonly composer: ComposerState;
  readonly dialog: Dialog | undefined;
  readonly liveCalls: readonly LiveCall[];
  /** How a verb that is being typed is used. */
  readonly hint: string | undefined;
  readonly status: string;
}

/** Holds the latest state; whoever follows it is told at most once a turn of the event loop. */
export class Store<State> {
  #state: State;
  readonly #listeners = new Set<() => void>();
  #telling = false;

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
    if (this.#telling) return;
    this.#telling = true;
    queueMicrotask(() => {
      this.#telling = false;
      for (const listener of this.#listeners) listener();
    });
  }
}

export class ScreenStore extends Store<ScreenState> {}
