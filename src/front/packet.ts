/** Sending a packet that ssh2 has no function for. */
import type { Connection } from 'ssh2';
import { internalsOf } from './internals.ts';

/** Sends `payload`: the message number and its encoded fields (RFC 4253, section 6). */
export function sendPacket(connection: Connection, payload: Buffer): void {
  const { _packetRW, _cipher } = internalsOf(connection)._protocol;
  const packet = _packetRW.write.alloc(payload.length);
  packet.set(payload, _packetRW.write.allocStart);
  _cipher.encrypt(_packetRW.write.finalize(packet));
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A length-prefixed string of the SSH wire format (RFC 4251, section 5). */
export function string(value: string | Buffer): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  return Buffer.concat([uint32(bytes.length), bytes]);
}
