/**
 * Who may come in: decided synchronously, from an index in memory, by comparing bytes. Identity is the key whose signature verified,
 * never the one that was merely offered.
 */
import type { AuthContext, PublicKeyAuthContext } from 'ssh2';
import type { Actor } from '../domain/actor.ts';
import type { Identity } from '../domain/actor.ts';
import { verifyLogin } from './signature.ts';

/** Longer login names are nobody's here (useradd(8) ends at 32). */
const longestName = 64;

export class KeyIndex {
  #byBlob = new Map<string, Identity>();

  replace(identities: readonly Identity[]): void {
    this.#byBlob = new Map(identities.map((identity) => [identity.blob, identity]));
  }

  /** Whether whoever logged in as this actor could do so now. */
  admits({ door, name, fingerprint }: Actor): boolean {
    for (const identity of this.#byBlob.values()) {
      if (identity.fingerprint === fingerprint) return door === 'manage' ? identity.admin?.name === name : identity.owns.includes(name);
    }
    return false;
  }

  find(blob: Buffer): Identity | undefined {
    return this.#byBlob.get(blob.toString('base64'));
  }
}

export type Decision = { readonly outcome: 'accept'; readonly actor: Actor } | { readonly outcome: 'offer' } | { readonly outcome: 'reject' };

const reject: Decision = { outcome: 'reject' };

/** What an authentication request deserves. The same answer for an unknown login name as for an unknown key. */
export function decide(context: AuthContext, index: KeyIndex, address: string): Decision {
  if (context.method !== 'publickey' || context.username.length > longestName) return reject;
  const { key, blob, signature, hashAlgo } = context as PublicKeyAuthContext & { hashAlgo?: string };
  const identity = index.find(key.data);
  const actor = identity === undefined ? undefined : actorFor(context.username, identity, address);
  if (identity === undefined || actor === undefined) return reject;
  // RSA with SHA-1 (RFC 8332): refused when it is offered, not only when it has signed.
  if (identity.type === 'ssh-rsa' && hashAlgo === undefined) return reject;
  if (signature === undefined || blob === undefined) return { outcome: 'offer' };
  const verified = verifyLogin({ type: identity.type, blob: Buffer.from(identity.blob, 'base64'), data: blob, signature, hash: hashAlgo });
  return verified ? { outcome: 'accept', actor } : reject;
}

function actorFor(username: string, identity: Identity, address: string): Actor | undefined {
  const from = { fingerprint: identity.fingerprint, address };
  if (username === 'manage' && identity.admin !== undefined) return { name: identity.admin.name, role: identity.admin.role, door: 'manage', ...from };
  const [owner] = identity.owns;
  if (username === 'self' && owner !== undefined) return { name: owner, role: 'owner', door: 'self', owns: identity.owns, ...from };
  return undefined;
}
