/**
 * Decides about authentication requests, synchronously and from an index in memory. A caller's identity is the key
 * whose signature verified, never a key that was only offered.
 */
import type { AuthContext, PublicKeyAuthContext } from 'ssh2';
import type { LoginProof } from '../../domain/access/login.ts';
import type { RefusalReason } from '../../domain/access/refusal.ts';
import type { Evidence, KeyIndex } from '../../identity/keyIndex.ts';
import { provesPossession } from '../../identity/proof.ts';
import { wireSignature } from '../transport/wireSignature.ts';

/**
 * `offer`: the key is acceptable and the client may sign. `accept`: the client has signed, and core verifies the same
 * proof. `invited`: the client has signed, and the proof serves only to bind the key to the invitation.
 */
export type Decision =
  | { readonly outcome: 'accept' | 'invited'; readonly proof: LoginProof }
  | { readonly outcome: 'offer' }
  | { readonly outcome: 'reject'; readonly reason: RefusalReason };

const reject = (reason: RefusalReason): Decision => ({ outcome: 'reject', reason });

/** Decides about one request. An unknown login name gets the same answer as an unknown key. */
export function decide(context: AuthContext, index: KeyIndex, address: string, nowMs: number): Decision {
  if (context.method !== 'publickey') return reject('method');
  const { key, blob: signed, signature, hashAlgo, username } = context as PublicKeyAuthContext & { hashAlgo?: string };
  // ssh2 reports rsa-sha2-512 as key type ssh-rsa with hash sha512.
  const algorithm = hashAlgo === undefined ? key.algo : `rsa-sha2-${hashAlgo.replace('sha', '')}`;
  const offered: Evidence = { username, algorithm, blob: key.data.toString('base64'), address, verified: undefined };
  const verdict = index.admit(offered, nowMs);
  if (verdict.admitted === 'no') return reject('key');
  if (signature === undefined || signed === undefined) return { outcome: 'offer' };
  const proof: LoginProof = {
    username,
    algorithm,
    blob: offered.blob,
    sessionId: firstString(signed).toString('base64'),
    signature: wireSignature(algorithm, signature).toString('base64'),
  };
  const verified = provesPossession(proof, verdict.key);
  if (verified === undefined || index.admit({ ...offered, verified }, nowMs).admitted === 'no')
    return reject('signature');
  if (verdict.admitted === 'invitation') {
    index.spend(verdict.hash);
    return { outcome: 'invited', proof };
  }
  return { outcome: 'accept', proof };
}

/** Returns the first string of signed data, which is the session identifier (RFC 4252, section 7). */
function firstString(bytes: Buffer): Buffer {
  return bytes.subarray(4, 4 + bytes.readUInt32BE(0));
}
