/**
 * Whether a certificate is believed: everything that OpenSSH's sshd asks of one, and that an authority of ours has
 * signed it.
 */
import { AddressList } from '../domain/values/addressList.ts';
import { decodeCertificate, shownKeyId, type Certificate } from '../domain/keys/certificate.ts';
import type { CertificateMark } from '../domain/access/actor.ts';
import type { Ca } from '../domain/access/directory.ts';
import { keyTypes } from '../domain/keys/keyBlob.ts';
import { verifySignature } from './signature.ts';

/** A certificate with the authority that signed it: verified, which says nothing yet of when, where and for whom. */
export interface Signed {
  readonly certificate: Certificate;
  readonly ca: Ca;
  readonly mark: CertificateMark;
}

/** Signatures that have been verified are remembered, because every call asks again. */
const defaultMostRemembered = 4096;

export class Certificates {
  readonly #maxRemembered: number;
  #cas: readonly Ca[] = [];
  readonly #signed = new Map<string, Signed>();

  constructor(maxRemembered: number = defaultMostRemembered) {
    this.#maxRemembered = maxRemembered;
  }

  /** Certificates that are remembered. */
  get remembered(): number {
    return this.#signed.size;
  }

  replace(cas: readonly Ca[]): void {
    this.#cas = cas;
    this.#signed.clear();
  }

  /** The certificate in `blob` (base64), if one of the authorities has signed it. */
  read(blob: string): Signed | undefined {
    const known = this.#signed.get(blob);
    if (known !== undefined) return known;
    const signed = this.#verify(blob);
    if (signed === undefined) return undefined;
    const [oldest] = this.#signed.keys();
    if (this.#signed.size >= this.#maxRemembered && oldest !== undefined) this.#signed.delete(oldest);
    this.#signed.set(blob, signed);
    return signed;
  }

  #verify(blob: string): Signed | undefined {
    let certificate: Certificate;
    try {
      certificate = decodeCertificate(Buffer.from(blob, 'base64'));
    } catch {
      return undefined;
    }
    const { signatureKey, signed, signature, keyId, serial } = certificate;
    // The key that signed is taken from what is stored here, byte for byte; the one in the certificate is never parsed.
    const signer = signatureKey.toString('base64');
    const ca = this.#cas.find((candidate) => candidate.blob === signer);
    const type = keyTypes.find((candidate) => candidate === ca?.type);
    if (
      ca === undefined ||
      type === undefined ||
      verifySignature({ type, blob: signatureKey }, signed, signature) === undefined
    )
      return undefined;
    return { certificate, ca, mark: { ca: ca.name, keyId: shownKeyId(keyId), serial } };
  }
}

/** Where and when a certificate is shown. */
export interface Shown {
  readonly entryPoint: 'manage' | 'self';
  readonly address: string;
  readonly nowMs: number;
  /** Whether the person was verified at the key; undefined as long as nothing is signed. */
  readonly personVerified: boolean | undefined;
}

/** Why a signed certificate does not let in; undefined where it does. */
export function faultOf(
  { certificate, ca }: Signed,
  { entryPoint, address, nowMs, personVerified }: Shown,
): string | undefined {
  const { kind, serial, keyId, key, validAfter, validBefore, criticalOptions } = certificate;
  const seconds = BigInt(Math.floor(nowMs / 1000));
  if (!ca.entryPoints.includes(entryPoint)) return 'certificates of this authority do not open this door';
  if (kind !== 'user') return 'it is not a certificate for users';
  if (seconds < validAfter) return 'your certificate is not valid yet';
  if (seconds >= validBefore) return 'your certificate has expired';
  const { serials, keyIds, fingerprints } = ca.revoked;
  // As in OpenSSH's revocation lists, a serial of 0 is no serial.
  if ((serial !== '0' && serials.includes(serial)) || keyIds.includes(keyId) || fingerprints.includes(key.fingerprint))
    return 'your certificate has been revoked';
  for (const [name, data] of criticalOptions) {
    const fault = optionFault(name, data, key.type, address, personVerified);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function optionFault(
  name: string,
  data: Buffer,
  keyType: string,
  address: string,
  personVerified: boolean | undefined,
): string | undefined {
  switch (name) {
    case 'source-address':
      return sourceAddresses(data)?.has(address) === true
        ? undefined
        : 'your certificate may not be used from this address';
    case 'verify-required':
      if (data.length > 0 || !keyType.startsWith('sk-')) return 'its option verify-required is not one';
      return personVerified === false ? 'your certificate wants you to be verified at the key' : undefined;
    default:
      // force-command among them: it names a program, and none is run here.
      return 'your certificate has a critical option that is not known here';
  }
}

/** A string in a string; addresses and networks without exceptions. */
function sourceAddresses(data: Buffer): AddressList | undefined {
  const text = data.length >= 4 && data.readUInt32BE() === data.length - 4 ? data.subarray(4).toString('latin1') : '';
  if (text.includes('!')) return undefined;
  try {
    return AddressList.parse(text);
  } catch {
    return undefined;
  }
}
