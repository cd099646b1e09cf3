/** Public keys of users, without ssh-keygen. */
import { parsePublicKey, type PublicKey } from '../../../src/domain/keys/publicKey.ts';
import { makeHostKey } from '../../../src/host/hostKey.ts';

/** Makes an ed25519 key pair and returns its public key. */
export function newKey(comment: string): PublicKey {
  return parsePublicKey(`${makeHostKey(comment).publicKey} ${comment}`);
}
