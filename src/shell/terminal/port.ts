import type { TerminalReceiver } from '../../domain/terminal.ts';

/** The client's terminal as the connection offers it: bytes in, bytes out, a size. */
export interface TerminalPort {
  /** The client's TERM. */
  readonly type: string;
  /** Accepted environment variables of the client: NO_COLOR, LANG. */
  readonly environment: ReadonlyMap<string, string>;
  readonly columns: number;
  readonly rows: number;
  /** Whether no more input will come. The receiver has read Ctrl-D at that point. */
  readonly hasInputEnded: boolean;
  /** Sends data, in order. */
  write(data: string | Buffer): void;
  /** Resolves when the connection has taken everything written so far, or is closed. */
  flushed(): Promise<void>;
  /** Counts work that the client's input has caused, in milliseconds, as part of its share of the event loop. */
  spend(ms: number): void;
  /** Calls `act` in a later turn of the event loop in which the client has its share. Returns what cancels that. */
  later(act: () => void): () => void;
  /** Stops or resumes reading from the client. */
  hold(held: boolean): void;
  /** Sets the receiver. Called once, before all other methods. */
  attach(receiver: TerminalReceiver): void;
}
