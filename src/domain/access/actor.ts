/** Who does something, and what they may do. */
import type { KeyLimits } from '../keys/keyLimits.ts';

/**
 * What an actor may do, weakest first. `owner` sees their own container only; `root` is local mode on the host itself.
 */
export const roles = ['owner', 'viewer', 'operator', 'admin', 'root'] as const;
export type Role = (typeof roles)[number];

/** The doors into the verbs: the two login names of the SSH server, and the host's own command line. */
export const entryPoints = ['manage', 'self', 'local'] as const;
export type EntryPoint = (typeof entryPoints)[number];

/** One caller, as the journal keeps it. */
export type Actor = {
  /** An admin's name, a container owner's user name, or a local login name. */
  readonly name: string;
  readonly role: Role;
  readonly entryPoint: EntryPoint;
  /** The key whose signature verified (SHA256:…); absent in local mode. */
  readonly fingerprint?: string;
  /** Where the connection came from; absent in local mode. */
  readonly address?: string;
  /** For owners: the users whose containers this key may see. */
  readonly owns?: readonly string[];
  /** The certificate that let them in, where it was one; the fingerprint is then of the key that it certifies. */
  readonly certificate?: CertificateMark;
  /** The login that it came by, as core named it. */
  readonly login?: string;
};

/** An actor as answers tell of one: what is not there is `null`. */
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

/** By what a certificate is known: the name of the authority here, and what it wrote into it. */
export type CertificateMark = {
  readonly ca: string;
  /** Safe to show. */
  readonly keyId: string;
  /** Decimal; 64 bits. */
  readonly serial: string;
};

/** What a public key may do here: the entry of the index by which the front lets callers in. */
export interface Identity {
  /** The public key's wire blob, base64. */
  readonly blob: string;
  readonly type: string;
  readonly fingerprint: string;
  /** Name and role at manage@, and what the key is limited to there. */
  readonly admin?: { readonly name: string; readonly role: Role; readonly limits: KeyLimits } | undefined;
  /** Users whose containers it may see at self@. */
  readonly owns: readonly string[];
}
