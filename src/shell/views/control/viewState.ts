/** The state of the live list apart from its containers. */
import type { Line } from '../../composer/line.ts';
import type { Dialog } from '../../screen/store.ts';
import type { Pane } from './pane.ts';
import type { Message } from './messages.ts';

/**
 * A question about the command of a key: Enter or y runs it, any other key cancels it. So does an answer that comes
 * before it could be read, or together with other keys: it is one of a word that was meant for another window.
 */
export interface Question {
  readonly text: string;
  readonly run: () => void;
}

export interface ViewState {
  readonly dialog: Dialog | undefined;
  /** The pane above the list. */
  readonly pane: Pane | undefined;
  /** The filter, while it is being typed. */
  readonly typing: Line | undefined;
  /** What is to be confirmed, above any message. */
  readonly question: Question | undefined;
  /** The command of the last key, and its outcome. */
  readonly message: Message | undefined;
}
