/** The unread output of each connection. */
import type { Connection } from 'ssh2';
import { UnreadOutputs, type UnreadOutput } from '../../connectionLimits/unreadOutput.ts';

const known = new WeakMap<Connection, UnreadOutput>();
const unlimited = new UnreadOutputs({
  unreadMs: 0,
  limits: { all: Infinity, ofOwners: Infinity, perAdmin: Infinity, perOwner: Infinity },
});

/** Counts the unread output of a connection. */
export function countUnread(connection: Connection, output: UnreadOutput): void {
  known.set(connection, output);
}

/** Returns the unread output of a connection. It has no limit if it is not counted. */
export function unreadOf(connection: Connection): UnreadOutput {
  const output = known.get(connection) ?? unlimited.open({ stalled: () => undefined, full: () => undefined });
  known.set(connection, output);
  return output;
}
