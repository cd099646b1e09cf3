/**
 * Whom a key or a certificate lets in, at which door, at this moment. The front decides by this synchronously, while a
 * client waits; core decides again, by its own copy, for every call and once a second. Whatever expires, is revoked or
 * changes ends a login by that.
 */
import { createHash } from 'node:crypto';
import type { Actor, Identity } from '../domain/access/actor.ts';
import { AddressList } from '../domain/values/addressList.ts';
import { certificateAlgorithms } from '../domain/keys/certificate.ts';
import type { Directory } from '../domain/access/directory.ts';
import { tokenOf } from '../domain/access/invitation.ts';
import { decodeKeyBlob, keyTypes, typeOfBlob } from '../domain/keys/keyBlob.ts';
import { Certificates, faultOf } from './certificates.ts';
import type { SigningKey, Verified } from './signature.ts';

/** What a caller has to show for themselves. */
export interface Evidence {
  /** The login name. */
  readonly username: string;
  /** As the client named it. */
  readonly algorithm: string;
  /** The wire blob of the public key or certificate, base64. */
  readonly blob: string;
  /** Where the connection comes from. */
  readonly address: string;
  /** What the signature said of how it was made; undefined as long as the key is only offered. */
  readonly verified: Verified | undefined;
}

export type Verdict = Admitted | { readonly admitted: 'no'; readonly why: string };

export type Admitted =
  | { readonly admitted: 'actor'; readonly actor: Actor; readonly key: SigningKey }
  /** Somebody with an invitation: may bind this key, and nothing else. */
  | { readonly admitted: 'invitation'; readonly hash: string; readonly key: SigningKey };

/** Longer keys and certificates are nobody's here, in characters of base64; core takes no longer ones either. */
const maxBlobLength = 16_384;

/** Said of every key and name that is not known here, so that nothing can be learnt from it. */
const unknown: Verdict = { admitted: 'no', why: 'your key may not be used here any more' };
const no = (why: string): Verdict => ({ admitted: 'no', why });

interface Entry {
  readonly identity: Identity;
  readonly from: AddressList | undefined;
}

export class KeyIndex {
  #byBlob = new Map<string, Entry>();
  #directory: Omit<Directory, 'identities'> = { cas: [], admins: [], users: [], invitations: [] };
  #invitations = new Map<string, number>();
  readonly #certificates = new Certificates();

  replace(directory: Directory): void {
    this.#directory = directory;
    this.#byBlob = new Map(
      directory.identities.map((identity) => {
        const from = identity.admin?.limits.from;
        return [identity.blob, { identity, from: from === undefined ? undefined : AddressList.parse(from) }];
      }),
    );
    this.#invitations = new Map(directory.invitations.map(({ hash, expiresAtMs }) => [hash, expiresAtMs]));
    this.#certificates.replace(directory.cas);
  }

  /** Takes an invitation out until core says what became of it: of two callers at the same time one comes in. */
  spend(hash: string): void {
    this.#invitations.delete(hash);
  }

  /** Who comes in with this evidence at this moment. */
  admit(evidence: Evidence, nowMs: number): Verdict {
    const { username, algorithm, blob } = evidence;
    if (blob.length > maxBlobLength) return unknown;
    const invitation = tokenOf(username);
    if (invitation !== undefined) return this.#invited(invitation, evidence, nowMs);
    if (username !== 'manage' && username !== 'self') return unknown;
    return certificateAlgorithms.has(algorithm)
      ? this.#certified(username, evidence, nowMs)
      : this.#known(username, evidence, nowMs);
  }

  #known(entryPoint: 'manage' | 'self', { algorithm, blob, address, verified }: Evidence, nowMs: number): Verdict {
    const entry = this.#byBlob.get(blob);
    const type = keyTypes.find((candidate) => candidate === entry?.identity.type);
    if (entry === undefined || type === undefined || !fits(algorithm, type)) return unknown;
    const { fingerprint, admin, owns } = entry.identity;
    // Made only for whoever comes in: a key that is known for something else is refused as fast as one that is not
    // known at all.
    const key = (): SigningKey => ({ type, blob: Buffer.from(blob, 'base64') });
    if (entryPoint === 'self') {
      const [owner] = owns;
      return owner === undefined
        ? unknown
        : {
            admitted: 'actor',
            actor: { name: owner, role: 'owner', entryPoint, owns, fingerprint, address },
            key: key(),
          };
    }
    if (admin === undefined) return unknown;
    const { expiresAt, verifyRequired } = admin.limits;
    if (expiresAt !== undefined && !(nowMs < Date.parse(expiresAt))) return no('your key has expired');
    if (entry.from?.has(address) === false) return no('your key may not be used from this address');
    if (verifyRequired === true && verified?.personVerified === false)
      return no('your key wants you to be verified at it');
    return {
      admitted: 'actor',
      actor: { name: admin.name, role: admin.role, entryPoint, fingerprint, address },
      key: key(),
    };
  }

  #certified(entryPoint: 'manage' | 'self', { algorithm, blob, address, verified }: Evidence, nowMs: number): Verdict {
    const signed = this.#certificates.read(blob);
    if (signed === undefined || signed.certificate.type !== certificateAlgorithms.get(algorithm)?.certificate)
      return no('your certificate is not accepted here any more');
    const fault = faultOf(signed, { entryPoint, address, nowMs, personVerified: verified?.personVerified });
    if (fault !== undefined) return no(fault);
    const { key, principals } = signed.certificate;
    const who = { entryPoint, fingerprint: key.fingerprint, address, certificate: signed.mark };
    // An empty list, which OpenSSH once took for everybody, names nobody.
    if (entryPoint === 'manage') {
      const admin = principals.flatMap(
        (name) => this.#directory.admins.find((candidate) => candidate.name === name) ?? [],
      )[0];
      return admin === undefined
        ? no('your certificate names no admin')
        : { admitted: 'actor', actor: { name: admin.name, role: admin.role, ...who }, key };
    }
    const owns = [...new Set(principals.filter((name) => this.#directory.users.includes(name)))];
    const [owner] = owns;
    return owner === undefined
      ? no('your certificate names nobody who has a container')
      : { admitted: 'actor', actor: { name: owner, role: 'owner', owns, ...who }, key };
  }

  /** The key is any that could be added by hand: decoded here, because it is stored nowhere yet. */
  #invited(token: string, { algorithm, blob }: Evidence, nowMs: number): Verdict {
    const hash = createHash('sha256').update(token).digest('hex');
    const expiresAtMs = this.#invitations.get(hash);
    if (expiresAtMs === undefined || nowMs >= expiresAtMs) return unknown;
    const bytes = Buffer.from(blob, 'base64');
    const type = typeOfBlob(bytes);
    if (type === undefined || !fits(algorithm, type)) return unknown;
    try {
      return { admitted: 'invitation', hash, key: { type, blob: decodeKeyBlob(type, bytes).blob } };
    } catch {
      return unknown;
    }
  }
}

/** Whether a key may sign with this algorithm: RSA not with SHA-1 (RFC 8332), also where it is only offered. */
function fits(algorithm: string, type: string): boolean {
  return type === 'ssh-rsa' ? algorithm === 'rsa-sha2-256' || algorithm === 'rsa-sha2-512' : algorithm === type;
}
