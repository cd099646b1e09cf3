/**
 * Who may log in, as data: what core tells the front, and decides by itself. `src/identity/keyIndex.ts` reads it.
 */
import type { EntryPoint, Identity, Role } from './actor.ts';

/** A key whose certificates are believed (PROTOCOL.certkeys). */
export interface Ca {
  readonly name: string;
  readonly entryPoints: readonly Exclude<EntryPoint, 'local'>[];
  readonly type: string;
  /** Wire blob, base64. */
  readonly blob: string;
  readonly revoked: {
    /** Decimal. */
    readonly serials: readonly string[];
    readonly keyIds: readonly string[];
    /** Of certified keys, `SHA256:…`. */
    readonly fingerprints: readonly string[];
  };
}

/** A token that binds the key of whoever shows it, once. */
export interface OpenInvitation {
  /** SHA-256 of the token, hexadecimal: the token itself is kept nowhere. */
  readonly hash: string;
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
}

export interface Directory {
  readonly identities: readonly Identity[];
  readonly cas: readonly Ca[];
  /** Whom a certificate may name at manage@. */
  readonly admins: readonly { readonly name: string; readonly role: Role }[];
  /** Whom a certificate may name at self@: users who have a container. */
  readonly users: readonly string[];
  readonly invitations: readonly OpenInvitation[];
}

export const emptyDirectory: Directory = { identities: [], cas: [], admins: [], users: [], invitations: [] };
