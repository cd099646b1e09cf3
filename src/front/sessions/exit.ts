import type { ServerChannel } from 'ssh2';

/** The signals that end or interrupt what runs. Others do nothing. */
export type Signal = 'INT' | 'TERM' | 'HUP';

/** The command or shell of a session. */
export interface Running {
  readonly ended: Promise<void>;
  readonly warn?: (text: string) => void;
  /** Handles a signal of the client (RFC 4254, section 6.9). */
  readonly signal: (name: Signal) => void;
  end(reason: string): void;
  /** Called when the client has closed the channel. */
  readonly left?: () => void;
}

/** Ends a channel with an exit status (RFC 4254, section 6.10). Does nothing if the client has closed it. */
export function exit(channel: ServerChannel, code: number): void {
  if (channel.destroyed || !channel.writable) return;
  channel.exit(code);
  channel.end();
  channel.close();
}
