/** Actors and their roles. */
import type { KeyLimits } from '../keys/keyLimits.ts';

/** Roles, weakest first. An `owner` sees only their own containers; `root` is root on the host itself. */
export const roles = ['owner', 'viewer', 'operator', 'admin', 'root'] as const;
export type Role = (typeof roles)[number];

/**
 * How a caller came in: by one of the two login names of the SSH server, by the command line on the host, or by the
 * remote interface.
 */
export const entryPoints = ['manage', 'self', 'local', 'remote'] as const;
export type EntryPoint = (typeof entryPoints)[number];

/** The caller of a verb, as recorded in the journal. */
export type Actor = {
  /** An admin's name, a container owner's user name, or a local login name. */
  readonly name: string;
  readonly role: Role;
  readonly entryPoint: EntryPoint;
  /** The key whose signature verified, or the certificate of a remote caller (SHA256:…); absent in local mode. */
  readonly fingerprint?: string;
  /** Source address of the connection; absent in local mode. */
  readonly address?: string;
  /** For owners: the users whose containers the key or certificate may access, the longest-held first. */
  readonly owns?: readonly string[];
  /** The certificate of the login, if there was one; `fingerprint` is then that of the certified key. */
  readonly certificate?: CertificateMark;
  /** The id of the login, assigned by core. */
  readonly login?: string;
};

/** Returns how an actor is named to others. An admin and a user may have the same name and be two people. */
export function actorTitle({ name, entryPoint }: { readonly name: string; readonly entryPoint?: unknown }): string {
  return entryPoint === 'self' ? `${name} (self@)` : name;
}

/** An actor as shown in results, with `null` for absent values. */
export interface ShownActor {
  readonly name: string;
  readonly role: Role;
  readonly entryPoint: EntryPoint;
  readonly fingerprint: string | null;
  readonly address: string | null;
  readonly certificate: CertificateMark | null;
}

export function shownActor({ name, role, entryPoint, fingerprint, address, certificate }: Actor): ShownActor {
  return {
    name,
    role,
    entryPoint,
    fingerprint: fingerprint ?? null,
    address: address ?? null,
    certificate: certificate ?? null,
  };
}

/**
 * The identity of a certificate: the local name of its CA, and the key id and serial that the CA assigned. For a
 * certificate of the remote interface: `remote`, the admin's name, and the serial in hexadecimal.
 */
export type CertificateMark = {
  readonly ca: string;
  /** Safe to show. */
  readonly keyId: string;
  /** Decimal, 64 bits, or hexadecimal. */
  readonly serial: string;
};

/** The rights of a public key: an entry of the index by which the front admits clients. */
export interface Identity {
  /** The public key's wire blob, base64. */
  readonly blob: string;
  readonly type: string;
  readonly fingerprint: string;
  /** Name and role at manage@, and the limits of the key there. */
  readonly admin?: { readonly name: string; readonly role: Role; readonly limits: KeyLimits } | undefined;
  /** Users whose containers the key may access at self@, the longest-held first. */
  readonly owns: readonly string[];
}

/** Returns one text for a person over all their logins: an owner, or an admin over ssh and the remote interface. */
export function personOf({ name, entryPoint }: Pick<Actor, 'name' | 'entryPoint'>): string {
  return `${entryPoint === 'self' ? 'owner' : 'admin'} ${name}`;
}
