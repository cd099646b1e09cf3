/**
 * Closes a connection that misbehaves, and says so in the log: what a guard stops should not look like a fault of the
 * network.
 */
import type { Socket } from 'node:net';

/** Lines for each reason in each such time, in milliseconds: a flood fills no disk, and hides no other reason. */
const everyMs = 60_000;
const maxLines = 20;

type Reason =
  | 'no login in time'
  | 'the client does not answer any more'
  | 'output was not read'
  | 'packets too small to be meant'
  | 'more data than the window allows'
  | 'a window of more than 4 GiB'
  | 'a second key exchange before the login'
  | 'too many key exchanges'
  | 'a key exchange was not ended'
  | 'requests instead of a key exchange';

interface Count {
  sinceMs: number;
  lines: number;
  leftOut: number;
}

const counts = new Map<Reason, Count>();

/** Closes the connection at once. */
export function hangUp(socket: Socket, why: Reason): void {
  if (socket.destroyed) return;
  noteHangUp(socket, why);
  // The gate's account of its source.
  socket.emit('violation');
  socket.destroy();
}

/** Says in the log why a connection is closed. */
export function noteHangUp(socket: Socket, why: Reason): void {
  const address = socket.remoteAddress;
  const nowMs = performance.now();
  const count = counts.get(why) ?? { sinceMs: nowMs, lines: 0, leftOut: 0 };
  counts.set(why, count);
  if (nowMs - count.sinceMs > everyMs) {
    count.sinceMs = nowMs;
    count.lines = 0;
  }
  if (++count.lines > maxLines) {
    count.leftOut++;
    return;
  }
  // How many were left out is said with the next.
  process.stderr.write(
    `${JSON.stringify({ level: 40, time: Date.now(), address, why, ...(count.leftOut === 0 ? {} : { leftOut: count.leftOut }), msg: 'connection closed' })}\n`,
  );
  count.leftOut = 0;
}
