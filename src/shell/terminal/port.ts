import type { TerminalReceiver } from '../../domain/terminal.ts';

/** The client's terminal, as whoever holds the connection offers it: bytes in, bytes out, a size. */
export interface TerminalPort {
  /** TERM of the client. */
  readonly type: string;
  /** Variables that the client was allowed to send: NO_COLOR, LANG. */
  readonly environment: ReadonlyMap<string, string>;
  readonly columns: number;
  readonly rows: number;
  /** In the order written. */
  write(data: string | Buffer): void;
  /** Resolves when everything written so far has been taken by the connection, or it is gone. */
  flushed(): Promise<void>;
  /** Whether what the client sends is to stay with it for a while. */
  hold(held: boolean): void;
  /** Called once, before anything else. */
  attach(receiver: TerminalReceiver): void;
}
