/** Verifies that a client holds its private key, by the signature of its login (RFC 4252, section 7). */
import { certificateAlgorithms } from '../domain/keys/certificate.ts';
import type { LoginProof } from '../domain/access/login.ts';
import { wireString } from '../domain/keys/wire.ts';
import { verifySignature, type SigningKey, type Verified } from './signature.ts';

/** SSH_MSG_USERAUTH_REQUEST (RFC 4252, section 6). */
const userauthRequest = 50;

/**
 * Verifies a proof with a key that this server has decoded itself. Returns undefined if the proof is invalid. The
 * signed data is rebuilt from its parts, so a signature for another connection or another login name does not verify. A
 * FIDO key must always have been touched.
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
