/** Results of the verbs about admins. Times in RFC 3339 UTC. */
import type { Role } from '../access/actor.ts';
import type { KeyInfo } from './keys.ts';

/** The last login with a key or certificate. */
export interface LastUse {
  /** RFC 3339 UTC. */
  readonly at: string;
  readonly address: string;
}

export interface AdminKeyInfo extends KeyInfo {
  /** Addresses and networks from which the key is accepted; null: all. */
  readonly from: string | null;
  /** RFC 3339 UTC; null: never. */
  readonly expiresAt: string | null;
  readonly verifyRequired: boolean;
  readonly lastUse: LastUse | null;
}

export interface AdminInfo {
  readonly name: string;
  readonly role: Role;
  /** For admins who may log in with a certificate; otherwise null. */
  readonly certificate: { readonly lastUse: LastUse | null } | null;
  readonly keys: readonly AdminKeyInfo[];
}

export interface AdminChange {
  readonly name: string;
  readonly added: readonly AdminKeyInfo[];
  /** Existing keys with new limits. */
  readonly changed: readonly AdminKeyInfo[];
  readonly removed: readonly AdminKeyInfo[];
  /** Any other change, as a clause. */
  readonly note: string | null;
  readonly admins: readonly AdminInfo[];
}
