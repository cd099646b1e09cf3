/**
 * A terminal session: for one call, a program in a container has the caller's terminal. These interfaces connect the
 * owner of the terminal (an SSH channel, the command line on the host, the shell), the protocol, and the capability
 * that starts the program.
 */

/** The receiver of a terminal's input. */
export interface TerminalReceiver {
  input(data: Buffer): void;
  /** Both in characters. */
  resize(columns: number, rows: number): void;
  /** The caller has disconnected or closed the input. */
  end(): void;
}

export interface CallerTerminal {
  /** The caller's TERM as the client sent it, unchecked. */
  readonly type: string;
  /** The current size, in characters. */
  readonly columns: number;
  readonly rows: number;
  /** Writes to the terminal. Resolves when the terminal has accepted the data, so a slow terminal slows the program. */
  output(data: Buffer): Promise<void>;
  /** Asks the client to hold back input (true) or to resume (false). Input already in flight still arrives. */
  hold(held: boolean): void;
  /** Sets the receiver, once. Input typed earlier is delivered immediately. */
  attach(receiver: TerminalReceiver): void;
}

/** A terminal in use by a program, as seen by its owner. */
export interface HandedOverTerminal extends CallerTerminal {
  /** Returns the terminal to its owner. Idempotent. */
  giveBack(): void;
}
