/**
 * What an authentication request deserves: decided synchronously, from an index in memory, by comparing bytes. Identity is the key whose
 * signature verified, never the one that was merely offered.
 */
import type { AuthContext, PublicKeyAuthContext } from 'ssh2';
import type { LoginProof } from '../domain/login.ts';
import type { RefusalReason } from '../domain/refusal.ts';
import type { KeyIndex } from '../identity/keyIndex.ts';
import { provesPossession } from '../identity/proof.ts';

/** `offer`: this key would do, the client may sign. `accept`: it has signed; core is shown the same proof. */
export type Decision = { readonly outcome: 'accept'; readonly proof: LoginProof } | { readonly outcome: 'offer' } | { readonly outcome: 'reject'; readonly reason: RefusalReason };

const reject = (reason: RefusalReason): Decision => ({ outcome: 'reject', reason });

/** The same answer for an unknown login name as for an unknown key. */
export function decide(context: AuthContext, index: KeyIndex, address: string): Decision {
  if (context.method !== 'publickey') return reject('method');
  const { key, blob: signed, signature, hashAlgo, username } = context as PublicKeyAuthContext & { hashAlgo?: string };
  const blob = key.data.toString('base64');
  const stored = index.find(blob);
  if (stored === undefined || index.admit({ username, blob, address }) === undefined) return reject('key');
  // RSA with SHA-1 (RFC 8332): refused when it is offered, not only when it has signed.
  if (stored.type === 'ssh-rsa' && hashAlgo === undefined) return reject('key');
  if (signature === undefined || signed === undefined) return { outcome: 'offer' };
  const proof: LoginProof = {
    username,
    // ssh2 tells a client's rsa-sha2-512 as ssh-rsa and sha512.
    algorithm: hashAlgo === undefined ? key.algo : `rsa-sha2-${hashAlgo.replace('sha', '')}`,
    blob,
    sessionId: firstString(signed).toString('base64'),
    signature: signature.toString('base64'),
  };
  return provesPossession(proof, stored) ? { outcome: 'accept', proof } : reject('signature');
}

/** What is signed begins with the session identifier (RFC 4252, section 7). */
function firstString(bytes: Buffer): Buffer {
  return bytes.subarray(4, 4 + bytes.readUInt32BE(0));
}
