/** The `Ui` of one terminal, as whoever opens the shell holds it. */
import type { ShellModel } from './shellModel.ts';
import type { Ui } from './ui.ts';

export interface ShellUi extends Ui {
  /** Begins: the conversation may ask from now on. */
  show(shellModel: ShellModel, lines: readonly string[]): void;
  /** Whatever is said before the first line is typed has been said. */
  ready(): void;
  /** Takes what is not finished off the terminal, and ends. */
  close(): void;
}
