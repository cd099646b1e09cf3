/**
 * Whom a key lets in at which door. The front decides by this synchronously, while a client waits; core decides again, by its own copy,
 * for every call.
 */
import type { Actor, Identity } from '../domain/actor.ts';

/** What a caller has to show for themselves, besides the signature. */
export interface Evidence {
  /** The login name. */
  readonly username: string;
  /** The public key's wire blob, base64. */
  readonly blob: string;
  /** Where the connection comes from. */
  readonly address: string;
}

/** Longer login names are nobody's here (useradd(8) ends at 32). */
const longestName = 64;

export class KeyIndex {
  #byBlob = new Map<string, Identity>();

  replace(identities: readonly Identity[]): void {
    this.#byBlob = new Map(identities.map((identity) => [identity.blob, identity]));
  }

  /** The key as it is stored here, by its wire blob in base64. */
  find(blob: string): Identity | undefined {
    return this.#byBlob.get(blob);
  }

  /** Who comes in with this evidence; undefined for nobody, be it the key or the login name that is unknown. */
  admit({ username, blob, address }: Evidence): Actor | undefined {
    const identity = username.length > longestName ? undefined : this.find(blob);
    if (identity === undefined) return undefined;
    const from = { fingerprint: identity.fingerprint, address };
    if (username === 'manage' && identity.admin !== undefined) return { name: identity.admin.name, role: identity.admin.role, door: 'manage', ...from };
    const [owner] = identity.owns;
    if (username === 'self' && owner !== undefined) return { name: owner, role: 'owner', door: 'self', owns: identity.owns, ...from };
    return undefined;
  }
}
