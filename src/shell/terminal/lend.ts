/** The terminal in the hands of a program in a container, for whoever was drawing on it. */
import type { Terminal } from './terminal.ts';

/** A terminal that is handed to a program in a container. */
export interface Lent {
  readonly columns: number;
  readonly rows: number;
  readonly type: string;
  output(data: Buffer): Promise<void>;
  /** Whether what is typed is to stay with the client for a while. */
  hold(held: boolean): void;
  onInput(listener: (data: Buffer) => void): void;
  onResize(listener: (columns: number, rows: number) => void): void;
  giveBack(): void;
}

/** `suspend` lets go of the terminal; what it resolves with takes it back. */
export async function lendTerminal(terminal: Terminal, suspend: () => Promise<() => unknown>): Promise<Lent> {
  const resume = await suspend();
  let input: (data: Buffer) => void = () => undefined;
  let resized: (columns: number, rows: number) => void = () => undefined;
  const raw = terminal.openRaw({ input: (data) => input(data), resize: (columns, rows) => resized(columns, rows) });
  let given = false;
  return {
    columns: raw.columns,
    rows: raw.rows,
    type: terminal.type,
    output: (data) => raw.write(data),
    hold: (held) => raw.hold(held),
    onInput: (listener) => (input = listener),
    onResize: (listener) => (resized = listener),
    giveBack: () => {
      if (given) return;
      given = true;
      raw.close();
      void resume();
    },
  };
}
