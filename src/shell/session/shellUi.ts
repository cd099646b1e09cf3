/** The `Ui` of one terminal, as whoever opens the shell holds it. */
import type { Conversation } from './conversation.ts';
import type { Ui } from './ui.ts';

export interface ShellUi extends Ui {
  /** Begins: the conversation may ask from now on. */
  show(conversation: Conversation, lines: readonly string[]): void;
  /** Whatever is said before the first line is typed has been said. */
  ready(): void;
  /** Takes what is not finished off the terminal, and ends. */
  close(): void;
}
