/** The data that decides who may log in. Core sends it to the front, and both read it by `src/identity/keyIndex.ts`. */
import type { EntryPoint, Identity, Role } from './actor.ts';

/** A CA: a key that signs user certificates (PROTOCOL.certkeys). */
export interface Ca {
  readonly name: string;
  readonly entryPoints: readonly Extract<EntryPoint, 'manage' | 'self'>[];
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

/** An unused invitation, which binds the key of the client that presents its token, once. */
export interface OpenInvitation {
  /** SHA-256 of the token, in hexadecimal. The token itself is not stored. */
  readonly hash: string;
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
  /** The only key that may use it, as wire blob in base64; any key may if undefined. */
  readonly blob?: string | undefined;
}

/** Whose certificates may come in over the remote interface. */
export interface RemoteTrust {
  /** The certificate of the CA, PEM. */
  readonly authority: string;
  /** Serials of revoked certificates, lower-case hexadecimal. */
  readonly revoked: readonly string[];
}

export interface Directory {
  readonly identities: readonly Identity[];
  readonly cas: readonly Ca[];
  /** Admins, whom a certificate may name at manage@. */
  readonly admins: readonly { readonly name: string; readonly role: Role }[];
  /** Users with a container, whom a certificate may name at self@; the oldest container first. */
  readonly users: readonly string[];
  readonly invitations: readonly OpenInvitation[];
  /** Absent while there are no certificates. Only core has it. */
  readonly remote?: RemoteTrust | undefined;
}

export const emptyDirectory: Directory = { identities: [], cas: [], admins: [], users: [], invitations: [] };
