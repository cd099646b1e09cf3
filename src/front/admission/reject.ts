/**
 * Telling a client that it is not let in, before there is any SSH. A line before the identification string (RFC 4253,
 * section 4.2), as sshd's "Not allowed at this time", is read by tools and by people with `ssh -v`; the disconnect
 * message behind it is what ssh(1) shows to everybody.
 */
import type { Socket } from 'node:net';
import { reasonCode } from '../transport/disconnect.ts';
import { wireString } from '../../domain/keys/wire.ts';
import { uint32 } from '../transport/packet.ts';

/** What this server says it is: not which version of which library it is made of. */
export const ident = 'containarium';

/** How long a client may take to read it, in milliseconds. */
const goodbyeMs = 2000;
/** Clients that are waited for at the same time; others may miss what they are told. */
const maxLeavingSockets = 256;

let leaving = 0;

/** `reason` is one line of this server's own words. */
export function reject(socket: Socket, reason: string): void {
  // Read and thrown away: closing with unread bytes would be a reset, which may overtake what was written.
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
