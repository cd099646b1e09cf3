/** Disconnects a client with a reason that it shows; ssh2's own message has none. */
import type { Connection } from 'ssh2';
import { wireString } from '../../domain/keys/wire.ts';
import { internalsOf } from './internals.ts';
import { sendPacket, uint32 } from './packet.ts';

const disconnectMessage = 1;

/** Reason codes (RFC 4253, section 11.1). */
export const reasonCode = { byApplication: 11, noMoreAuthMethods: 14, tooManyConnections: 12 } as const;

/** How long a client may take to close the connection after the message, in milliseconds. */
const goodbyeMs = 2000;

/** Sends the reason, ends this side of the connection at once, and destroys the socket after `goodbyeMs`. */
export function disconnect(connection: Connection, reason: string, code: number = reasonCode.byApplication): void {
  const socket = internalsOf(connection)._sock;
  if (socket.destroyed) return;
  try {
    sendPacket(
      connection,
      Buffer.concat([Buffer.from([disconnectMessage]), uint32(code), wireString(reason), wireString('')]),
    );
  } catch {
    // In the middle of a key exchange ssh2 may be unable to send.
  }
  socket.end();
  setTimeout(() => socket.destroy(), goodbyeMs).unref();
}
