/** What the live list shows besides the containers. */
import type { Line } from '../../composer/line.ts';
import type { Dialog } from '../../screen/store.ts';
import type { Pane } from './pane.ts';
import type { Message } from './runs.ts';

export interface ViewState {
  readonly dialog: Dialog | undefined;
  /** What is open on top of the list. */
  readonly pane: Pane | undefined;
  /** The filter, while it is being typed. */
  readonly typing: Line | undefined;
  /** The command that the last key stands for, and what became of it. */
  readonly message: Message | undefined;
}
