/** Results of the verbs about admins. Times in RFC 3339 UTC. */
import type { Role } from '../access/actor.ts';
import type { KeyInfo } from './keys.ts';

/** A login, as far as it is remembered. */
export interface LastUse {
  /** RFC 3339 UTC. */
  readonly at: string;
  readonly address: string;
}

export interface AdminKeyInfo extends KeyInfo {
  /** Addresses and networks that it may be used from; null: all. */
  readonly from: string | null;
  /** RFC 3339 UTC; null: it does not expire. */
  readonly expiresAt: string | null;
  readonly verifyRequired: boolean;
  readonly lastUse: LastUse | null;
}

export interface AdminInfo {
  readonly name: string;
  readonly role: Role;
  /** Of admins who need no key: the last login with a certificate. */
  readonly certificate: { readonly lastUse: LastUse | null } | null;
  readonly keys: readonly AdminKeyInfo[];
}

export interface AdminChange {
  readonly name: string;
  readonly added: readonly AdminKeyInfo[];
  /** Keys that were there, and have other limits now. */
  readonly changed: readonly AdminKeyInfo[];
  readonly removed: readonly AdminKeyInfo[];
  /** What else was done, as a clause. */
  readonly note: string | null;
  readonly admins: readonly AdminInfo[];
}
