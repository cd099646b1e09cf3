/** Whether a client holds the private key: the signature of its login, over exactly what RFC 4252 says it signs. */
import type { LoginProof } from '../domain/login.ts';
import { verifyLogin } from './signature.ts';

/** SSH_MSG_USERAUTH_REQUEST (RFC 4252, section 6). */
const userauthRequest = 50;

const hashes: Readonly<Record<string, string>> = { 'rsa-sha2-256': 'sha256', 'rsa-sha2-512': 'sha512' };

/**
 * Verifies the proof with a key as it is stored here. What was signed is put together again from its parts: a signature that was made for
 * anything else, another connection or another login name among them, proves nothing.
 */
export function provesPossession(proof: LoginProof, key: { readonly type: string; readonly blob: string }): boolean {
  return verifyLogin({
    type: key.type,
    blob: Buffer.from(key.blob, 'base64'),
    data: signedData(proof),
    signature: Buffer.from(proof.signature, 'base64'),
    hash: hashes[proof.algorithm],
  });
}

function signedData({ username, algorithm, blob, sessionId }: LoginProof): Buffer {
  return Buffer.concat([
    string(Buffer.from(sessionId, 'base64')),
    Buffer.from([userauthRequest]),
    string(username),
    string('ssh-connection'),
    string('publickey'),
    Buffer.from([1]),
    string(algorithm),
    string(Buffer.from(blob, 'base64')),
  ]);
}

/** A string of the wire format (RFC 4251, section 5). */
function string(value: string | Buffer): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
