/**
 * Rejects a connection before SSH begins. The line before the identification string (RFC 4253, section 4.2), like
 * sshd's "Not allowed at this time", is for tools and for `ssh -v`; ssh(1) always shows the disconnect message that
 * follows.
 */
import type { Socket } from 'node:net';
import { reasonCode } from '../transport/disconnect.ts';
import { wireString } from '../../domain/keys/wire.ts';
import { uint32 } from '../transport/packet.ts';

/** Software version in the identification string. It names no library and no version. */
export const ident = 'containarium';

/** How long a client may take to read the reason, in milliseconds. */
const goodbyeMs = 2000;
/** Number of rejected clients waited for at one time; further clients may miss the reason. */
const maxLeavingSockets = 256;

let leaving = 0;

/** Sends `reason`, one line that contains nothing from the client, and closes the connection. */
export function reject(socket: Socket, reason: string): void {
  // Read and discard: closing with unread bytes sends a reset, which may overtake what was written.
  socket.resume();
  socket.end(Buffer.concat([Buffer.from(`${reason}\r\nSSH-2.0-${ident}\r\n`, 'utf8'), disconnectPacket(reason)]));
  if (leaving >= maxLeavingSockets) {
    socket.destroy();
    return;
  }
  leaving++;
  const late = setTimeout(() => socket.destroy(), goodbyeMs);
  socket.once('close', () => {
    clearTimeout(late);
    leaving--;
  });
}

/** SSH_MSG_DISCONNECT without encryption (RFC 4253, sections 6 and 11.1). */
function disconnectPacket(reason: string): Buffer {
  const payload = Buffer.concat([
    Buffer.from([1]),
    uint32(reasonCode.tooManyConnections),
    wireString(reason),
    wireString(''),
  ]);
  let padding = 8 - ((5 + payload.length) % 8);
  if (padding < 4) padding += 8;
  return Buffer.concat([uint32(1 + payload.length + padding), Buffer.from([padding]), payload, Buffer.alloc(padding)]);
}
