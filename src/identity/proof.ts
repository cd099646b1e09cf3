/** Whether a client holds the private key: the signature of its login, over exactly what RFC 4252 says it signs. */
import { certificateAlgorithms } from '../domain/keys/certificate.ts';
import type { LoginProof } from '../domain/access/login.ts';
import { wireString } from '../domain/keys/wire.ts';
import { verifySignature, type SigningKey, type Verified } from './signature.ts';

/** SSH_MSG_USERAUTH_REQUEST (RFC 4252, section 6). */
const userauthRequest = 50;

/**
 * Verifies the proof with a key that was decoded here, and with nothing that the client says the key is; undefined
 * where it proves nothing. What was signed is put together again from its parts: a signature that was made for anything
 * else, another connection or another login name among them, is none. Of a FIDO key a touch is wanted always.
 */
export function provesPossession(proof: LoginProof, key: SigningKey): Verified | undefined {
  const algorithm = certificateAlgorithms.get(proof.algorithm)?.signature ?? proof.algorithm;
  const verified = verifySignature(key, signedData(proof), Buffer.from(proof.signature, 'base64'), algorithm);
  return key.type.startsWith('sk-') && verified?.touched !== true ? undefined : verified;
}

function signedData({ username, algorithm, blob, sessionId }: LoginProof): Buffer {
  return Buffer.concat([
    wireString(Buffer.from(sessionId, 'base64')),
    Buffer.from([userauthRequest]),
    wireString(username),
    wireString('ssh-connection'),
    wireString('publickey'),
    Buffer.from([1]),
    wireString(algorithm),
    wireString(Buffer.from(blob, 'base64')),
  ]);
}
