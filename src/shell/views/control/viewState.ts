/** The state of the live list apart from its containers. */
import type { Line } from '../../composer/line.ts';
import type { Dialog } from '../../screen/store.ts';
import type { Pane } from './pane.ts';
import type { Message } from './messages.ts';

export interface ViewState {
  readonly dialog: Dialog | undefined;
  /** The pane above the list. */
  readonly pane: Pane | undefined;
  /** The filter, while it is being typed. */
  readonly typing: Line | undefined;
  /** The command of the last key, and its outcome. */
  readonly message: Message | undefined;
}
