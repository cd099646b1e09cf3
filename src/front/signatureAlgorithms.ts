/**
 * Tells clients which signatures a login may have (EXT_INFO with `server-sig-algs`, RFC 8308). ssh2 sends a list of its own that lacks a
 * comma, so that clients see neither rsa-sha2-512 nor nistp521, and that names SHA-1 and DSA.
 */
import type { Connection } from 'ssh2';
import { internalsOf } from './internals.ts';
import { sendPacket, string, uint32 } from './packet.ts';

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
    if (tell) sendPacket(connection, Buffer.concat([Buffer.from([extInfo]), uint32(1), string('server-sig-algs'), string(accepted.join(','))]));
  };
}
