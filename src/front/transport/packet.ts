/** Sends packets that ssh2 has no function for. */
import type { Connection } from 'ssh2';
import { internalsOf } from './internals.ts';

/** SSH_MSG_DISCONNECT (RFC 4253, section 11.1), the only message here that may be sent during a key exchange. */
const disconnect = 1;

/**
 * Sends `payload`, a message number and its encoded fields (RFC 4253, section 6). During a key exchange the packet
 * waits in ssh2's queue.
 */
export function sendPacket(connection: Connection, payload: Buffer): void {
  const protocol = internalsOf(connection)._protocol;
  const { write } = protocol._packetRW;
  const exchanging = protocol._kexinit !== undefined;
  if (exchanging && payload[0] !== disconnect) {
    (protocol._queue ??= []).push(payload);
    return;
  }
  const packet = write.alloc(payload.length, exchanging);
  packet.set(payload, exchanging ? write.allocStartKEX : write.allocStart);
  protocol._cipher.encrypt(write.finalize(packet, exchanging));
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
