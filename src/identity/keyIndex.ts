/**
 * Decides whom a key or a certificate admits, at which entry point, at this moment. The front asks synchronously while
 * a client waits. core asks its own copy when the login is proved, for every call, and once a second for all logins. So
 * a login ends as soon as its key expires, is revoked, or changes its rights.
 */
import { createHash } from 'node:crypto';
import type { Actor, Identity } from '../domain/access/actor.ts';
import { AddressList } from '../domain/values/addressList.ts';
import { certificateAlgorithms } from '../domain/keys/certificate.ts';
import { ClientCertificates } from './clientCertificates.ts';
import type { Directory, OpenInvitation } from '../domain/access/directory.ts';
import { tokenOf } from '../domain/access/invitation.ts';
import { decodeKeyBlob, keyTypes, typeOfBlob } from '../domain/keys/keyBlob.ts';
import { Certificates, faultOf } from './certificates.ts';
import type { SigningKey, Verified } from './signature.ts';

/** What a client presents in order to log in. */
export interface Evidence {
  /** The login name. */
  readonly username: string;
  /** The signature algorithm that the client named. */
  readonly algorithm: string;
  /** The public key or certificate in wire format, base64. */
  readonly blob: string;
  /** The client's address. */
  readonly address: string;
  /** The result of verifying the signature; undefined while the key is only offered. */
  readonly verified: Verified | undefined;
}

export type Verdict = Admitted | { readonly admitted: 'no'; readonly why: string };

export type Admitted =
  | { readonly admitted: 'actor'; readonly actor: Actor; readonly key: SigningKey }
  /** An invited person, who may bind this key and nothing else. */
  | { readonly admitted: 'invitation'; readonly hash: string; readonly key: SigningKey };

/** Whom a client certificate of the remote interface admits. */
export type RemoteVerdict =
  { readonly admitted: 'actor'; readonly actor: Actor } | { readonly admitted: 'no'; readonly why: string };

/** Longest accepted key or certificate, in characters of base64. core's messages have the same limit. */
const maxBlobLength = 16_384;

/** The answer for every unknown key and name; always the same, so that it gives nothing away. */
const unknownKey: Verdict = { admitted: 'no', why: 'your key is no longer accepted here' };
const rejected = (why: string): Verdict => ({ admitted: 'no', why });

interface Entry {
  readonly identity: Identity;
  readonly from: AddressList | undefined;
  /** Made when the key is first admitted. */
  key?: SigningKey;
}

export class KeyIndex {
  #byBlob = new Map<string, Entry>();
  #directory: Omit<Directory, 'identities'> = { cas: [], admins: [], users: [], invitations: [] };
  #invitations = new Map<string, OpenInvitation>();
  readonly #certificates = new Certificates();
  readonly #clientCertificates = new ClientCertificates();

  replace(directory: Directory): void {
    this.#directory = directory;
    this.#byBlob = new Map(
      directory.identities.map((identity) => {
        const from = identity.admin?.limits.from;
        return [identity.blob, { identity, from: from === undefined ? undefined : AddressList.parse(from) }];
      }),
    );
    this.#invitations = new Map(directory.invitations.map((invitation) => [invitation.hash, invitation]));
    this.#certificates.replace(directory.cas);
    this.#clientCertificates.replace(directory.remote);
  }

  /**
   * Removes an invitation until core sends a new directory, so that only one of two simultaneous callers can use it.
   */
  spend(hash: string): void {
    this.#invitations.delete(hash);
  }

  /** Returns whom this evidence admits at this moment, or why it admits nobody. */
  admit(evidence: Evidence, nowMs: number): Verdict {
    const { username, algorithm, blob } = evidence;
    if (blob.length > maxBlobLength) return unknownKey;
    const invitation = tokenOf(username);
    if (invitation !== undefined) return this.#admitInvitation(invitation, evidence, nowMs);
    if (username !== 'manage' && username !== 'self') return unknownKey;
    return certificateAlgorithms.has(algorithm)
      ? this.#admitCertificate(username, evidence, nowMs)
      : this.#admitKey(username, evidence, nowMs);
  }

  /** Returns whom a client certificate (DER, base64) admits at this moment, or why it admits nobody. */
  admitRemote(der: string, address: string, nowMs: number): RemoteVerdict {
    const certificate = der.length > maxBlobLength ? undefined : this.#clientCertificates.read(der);
    const no = (why: string): RemoteVerdict => ({ admitted: 'no', why });
    if (certificate === undefined) return no('your certificate is no longer accepted here');
    const { name, serial, fingerprint, notBeforeMs, notAfterMs } = certificate;
    if (nowMs < notBeforeMs) return no('your certificate is not valid yet');
    if (nowMs >= notAfterMs) return no('your certificate has expired');
    if (this.#clientCertificates.isRevoked(certificate)) return no('your certificate is revoked');
    const admin = this.#directory.admins.find((candidate) => candidate.name === name);
    if (admin === undefined) return no('your certificate names no admin');
    const mark = { ca: 'remote', keyId: name, serial };
    const actor = { name, role: admin.role, entryPoint: 'remote', fingerprint, address, certificate: mark } as const;
    return { admitted: 'actor', actor };
  }

  /** Returns the admin whom a remote interface without TLS admits, or why it admits nobody. */
  admitInsecure(name: string, address: string): RemoteVerdict {
    const admin = this.#directory.admins.find((candidate) => candidate.name === name);
    if (admin === undefined) return { admitted: 'no', why: `remote.insecureAs names ${name}, who is no admin` };
    return { admitted: 'actor', actor: { name, role: admin.role, entryPoint: 'remote', address } };
  }

  #admitKey(entryPoint: 'manage' | 'self', { algorithm, blob, address, verified }: Evidence, nowMs: number): Verdict {
    const entry = this.#byBlob.get(blob);
    const type = keyTypes.find((candidate) => candidate === entry?.identity.type);
    if (entry === undefined || type === undefined || !fits(algorithm, type)) return unknownKey;
    const { fingerprint, admin, owns } = entry.identity;
    // Made only for admitted keys, so that a key known for something else is rejected as fast as an unknown one.
    const key = (): SigningKey => (entry.key ??= { type, blob: Buffer.from(blob, 'base64') });
    if (entryPoint === 'self') {
      const [owner] = owns;
      return owner === undefined
        ? unknownKey
        : {
            admitted: 'actor',
            actor: { name: owner, role: 'owner', entryPoint, owns, fingerprint, address },
            key: key(),
          };
    }
    if (admin === undefined) return unknownKey;
    const { expiresAt, verifyRequired } = admin.limits;
    if (expiresAt !== undefined && !(nowMs < Date.parse(expiresAt))) return rejected('your key has expired');
    if (entry.from?.has(address) === false) return rejected('your key may not be used from this address');
    if (verifyRequired === true && verified?.personVerified === false)
      return rejected('your key requires a PIN or a fingerprint');
    return {
      admitted: 'actor',
      actor: { name: admin.name, role: admin.role, entryPoint, fingerprint, address },
      key: key(),
    };
  }

  #admitCertificate(
    entryPoint: 'manage' | 'self',
    { algorithm, blob, address, verified }: Evidence,
    nowMs: number,
  ): Verdict {
    const signed = this.#certificates.read(blob);
    if (signed === undefined || signed.certificate.type !== certificateAlgorithms.get(algorithm)?.certificate)
      return rejected('your certificate is no longer accepted here');
    const fault = faultOf(signed, { entryPoint, address, nowMs, personVerified: verified?.personVerified });
    if (fault !== undefined) return rejected(fault);
    const { key, principals } = signed.certificate;
    const common = { entryPoint, fingerprint: key.fingerprint, address, certificate: signed.mark };
    // An empty list of principals names nobody. OpenSSH once accepted it for everybody.
    if (entryPoint === 'manage') {
      const admin = principals.flatMap(
        (name) => this.#directory.admins.find((candidate) => candidate.name === name) ?? [],
      )[0];
      return admin === undefined
        ? rejected('your certificate names no admin')
        : { admitted: 'actor', actor: { name: admin.name, role: admin.role, ...common }, key };
    }
    // In the directory's order, not the certificate's: a login is named after the first.
    const owns = this.#directory.users.filter((name) => principals.includes(name));
    const [owner] = owns;
    return owner === undefined
      ? rejected('your certificate names no user with a container')
      : { admitted: 'actor', actor: { name: owner, role: 'owner', owns, ...common }, key };
  }

  /**
   * Admits the key that the invitation names, or any key that `key add` would accept. The key is decoded here, because
   * it may not be stored anywhere yet. A token with another key gets the answer of an unknown token.
   */
  #admitInvitation(token: string, { algorithm, blob }: Evidence, nowMs: number): Verdict {
    const hash = createHash('sha256').update(token).digest('hex');
    const open = this.#invitations.get(hash);
    if (open === undefined || nowMs >= open.expiresAtMs) return unknownKey;
    if (open.blob !== undefined && open.blob !== blob) return unknownKey;
    const bytes = Buffer.from(blob, 'base64');
    const type = typeOfBlob(bytes);
    if (type === undefined || !fits(algorithm, type)) return unknownKey;
    try {
      return { admitted: 'invitation', hash, key: { type, blob: decodeKeyBlob(type, bytes).blob } };
    } catch {
      return unknownKey;
    }
  }
}

/** Returns whether a key of this type may be offered with this algorithm. RSA with SHA-1 is not accepted (RFC 8332). */
function fits(algorithm: string, type: string): boolean {
  return type === 'ssh-rsa' ? algorithm === 'rsa-sha2-256' || algorithm === 'rsa-sha2-512' : algorithm === type;
}
