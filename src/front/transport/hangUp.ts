/** Closes connections that misbehave, and logs why, so that they do not look like network failures. */
import type { Socket } from 'node:net';

/**
 * At most `maxLines` log lines for each reason within `everyMs` milliseconds, so that a flood neither fills the disk
 * nor hides another reason.
 */
const everyMs = 60_000;
const maxLines = 20;

type Reason =
  | 'no login in time'
  | 'the client no longer answers'
  | 'output was not read'
  | 'packet size too small'
  | 'more data than the window allows'
  | 'a window of more than 4 GiB'
  | 'a second key exchange before the login'
  | 'too many key exchanges'
  | 'a key exchange was not completed'
  | 'requests instead of a key exchange';

interface Count {
  sinceMs: number;
  lines: number;
  /** Lines omitted since the last one written; the next line says how many. */
  leftOut: number;
}

const counts = new Map<Reason, Count>();

/** Closes the connection at once and counts a protocol violation against its source. */
export function hangUp(socket: Socket, why: Reason): void {
  if (socket.destroyed) return;
  logHangUp(socket, why);
  socket.emit('violation');
  socket.destroy();
}

/** Logs why a connection is closed. */
export function logHangUp(socket: Socket, why: Reason): void {
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
  process.stderr.write(
    `${JSON.stringify({ level: 40, time: Date.now(), address, why, ...(count.leftOut === 0 ? {} : { leftOut: count.leftOut }), msg: 'connection closed' })}\n`,
  );
  count.leftOut = 0;
}
