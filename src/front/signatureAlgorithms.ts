/**
 * Tells clients which signatures a login may have (EXT_INFO with `server-sig-algs`, RFC 8308). ssh2 sends a list of its own that lacks a
 * comma, so that clients see neither rsa-sha2-512 nor nistp521, and that names SHA-1 and DSA.
 */
import type { Connection } from 'ssh2';
import { internalsOf } from './internals.ts';

const accepted = [
  'ssh-ed25519',
  'sk-ssh-ed25519@openssh.com',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'sk-ecdsa-sha2-nistp256@openssh.com',
  'rsa-sha2-512',
  'rsa-sha2-256',
];

/** SSH_MSG_EXT_INFO (RFC 8308, section 2.3). */
const extInfo = 7;

/** Call before the key exchange; the message goes out right behind it, to clients that understand it. */
export function tellSignatureAlgorithms(connection: Connection): void {
  const protocol = internalsOf(connection)._protocol;
  const complete = protocol._onHandshakeComplete;
  let first = true;
  protocol._onHandshakeComplete = (...args) => {
    const tell = first && protocol._kex.remoteExtInfoEnabled;
    first = false;
    protocol._kex.remoteExtInfoEnabled = false;
    complete(...args);
    if (tell) send(protocol);
  };
}

function send({ _packetRW, _cipher }: ReturnType<typeof internalsOf>['_protocol']): void {
  const count = Buffer.from([0, 0, 0, 1]);
  const payload = Buffer.concat([Buffer.from([extInfo]), count, string('server-sig-algs'), string(accepted.join(','))]);
  const packet = _packetRW.write.alloc(payload.length);
  packet.set(payload, _packetRW.write.allocStart);
  _cipher.encrypt(_packetRW.write.finalize(packet));
}

/** A length-prefixed string of the SSH wire format (RFC 4251, section 5). */
function string(text: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(text));
  return Buffer.concat([length, Buffer.from(text)]);
}
