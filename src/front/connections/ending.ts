/** Ends the sessions of a connection before the connection, so that clients lose neither output nor exit status. */
import type { Socket } from 'node:net';
import type { ServedSession } from '../sessions/session.ts';

/**
 * How long sessions may take to end, in milliseconds: to handle the answers that core has sent, on a machine however
 * busy, and to send them to a client that reads.
 */
const maxEndingMs = 15_000;

/** How long a client may take after that to write what it has read and to close its channels, in milliseconds. */
const maxClosingMs = 8000;

/** How long both may take together, in milliseconds. */
const maxTotalMs = 16_000;

/**
 * How long a client that has closed its channels may take to hang up, in milliseconds. OpenSSH and others exit with 255
 * instead of the status of their command when they read a disconnect while they still have output to write.
 */
const maxHangUpMs = 1500;

/** Ends the sessions with a reason. Resolves when the client has closed them and hung up, or does not do so in time. */
export async function endSessions(
  sessions: readonly ServedSession[],
  reason: string,
  socket: Pick<Socket, 'destroyed' | 'once'>,
): Promise<void> {
  if (sessions.length === 0) return;
  const gone = new Promise<void>((resolve) => {
    if (socket.destroyed) resolve();
    else socket.once('close', () => resolve());
  });
  for (const session of sessions) session.end(reason);
  const began = performance.now();
  await within(maxEndingMs, Promise.race([gone, Promise.all(sessions.map(({ ended }) => ended))]));
  const leftMs = Math.min(maxClosingMs, maxTotalMs - (performance.now() - began));
  await within(leftMs, Promise.race([gone, Promise.all(sessions.map(({ closed }) => closed))]));
  await within(maxHangUpMs, gone);
}

/** Resolves when the promise has resolved, and after `ms` at the latest. */
async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([promise, new Promise((resolve) => (timer = setTimeout(resolve, ms)))]);
  clearTimeout(timer);
}
