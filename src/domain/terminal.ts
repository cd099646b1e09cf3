/**
 * A terminal session: for the time of one call, a program in a container has the caller's terminal. This is the one
 * contract between whoever owns that terminal (an SSH channel, the host's own command line, the shell), the protocol,
 * and the capability that opens the program.
 */

/** What receives the keys of a terminal. */
export interface TerminalReceiver {
  input(data: Buffer): void;
  /** Both in characters. */
  resize(columns: number, rows: number): void;
  /** The caller is gone, or has closed the input. */
  end(): void;
}

export interface CallerTerminal {
  /** TERM of the caller, as the client sent it: not checked. */
  readonly type: string;
  /** The size in characters, as it is now. */
  readonly columns: number;
  readonly rows: number;
  /** Shows bytes. Resolves when the terminal has taken them, so that a slow terminal slows the program down. */
  output(data: Buffer): Promise<void>;
  /** Asks the client to keep what is typed (true), or to send it again (false). Bytes on their way still arrive. */
  hold(held: boolean): void;
  /** Sets the receiver, once. It gets at once what was typed before. */
  attach(receiver: TerminalReceiver): void;
}

/** A terminal that has been handed over, as its owner sees it. */
export interface HandedOverTerminal extends CallerTerminal {
  /** Takes the terminal back. Safe to repeat. */
  giveBack(): void;
}
