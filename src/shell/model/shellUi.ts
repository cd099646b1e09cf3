/** The `Ui` of one terminal, as `openShell` uses it. */
import type { ShellModel } from './shellModel.ts';
import type { Ui } from './ui.ts';

export interface ShellUi extends Ui {
  /** Whether a question or a view waits for the user. */
  readonly isAsking: boolean;
  /** Starts showing the shell. From now on it may ask questions. `lines`: the user's history. */
  show(shell: ShellModel, lines: readonly string[]): void;
  /** Called when everything before the first prompt has been printed. */
  ready(): void;
  /** The user's history, with the lines of this display. */
  readonly lines: readonly string[];
  /** Removes the live part from the terminal and ends. */
  close(): void;
}
