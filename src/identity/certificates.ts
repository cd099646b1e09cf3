/** Verifies user certificates: the signature of a trusted CA, and every check that OpenSSH's sshd makes. */
import { AddressList } from '../domain/values/addressList.ts';
import { decodeCertificate, shownKeyId, type Certificate } from '../domain/keys/certificate.ts';
import type { CertificateMark } from '../domain/access/actor.ts';
import type { Ca } from '../domain/access/directory.ts';
import { keyTypes } from '../domain/keys/keyBlob.ts';
import { verifySignature } from './signature.ts';

/** A certificate with a verified signature of a CA. Its validity, options and principals are still unchecked. */
export interface SignedCertificate {
  readonly certificate: Certificate;
  readonly ca: Ca;
  readonly mark: CertificateMark;
}

/** Number of verified certificates that are remembered, because every call checks them again. */
const defaultMaxRemembered = 4096;

export class Certificates {
  readonly #maxRemembered: number;
  #cas: readonly Ca[] = [];
  readonly #signed = new Map<string, SignedCertificate>();

  constructor(maxRemembered: number = defaultMaxRemembered) {
    this.#maxRemembered = maxRemembered;
  }

  /** Number of remembered certificates. */
  get remembered(): number {
    return this.#signed.size;
  }

  replace(cas: readonly Ca[]): void {
    this.#cas = cas;
    this.#signed.clear();
  }

  /** Returns the certificate in `blob` (base64) if one of the CAs has signed it. */
  read(blob: string): SignedCertificate | undefined {
    const cached = this.#signed.get(blob);
    if (cached !== undefined) return cached;
    const signed = this.#verify(blob);
    if (signed === undefined) return undefined;
    const [oldest] = this.#signed.keys();
    if (this.#signed.size >= this.#maxRemembered && oldest !== undefined) this.#signed.delete(oldest);
    this.#signed.set(blob, signed);
    return signed;
  }

  #verify(blob: string): SignedCertificate | undefined {
    let certificate: Certificate;
    try {
      certificate = decodeCertificate(Buffer.from(blob, 'base64'));
    } catch {
      return undefined;
    }
    const { signatureKey, signed, signature, keyId, serial } = certificate;
    // The key in the certificate is only compared, byte for byte, with the stored CAs. It is never parsed.
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

/** The circumstances in which a certificate is presented. */
export interface Circumstances {
  readonly entryPoint: 'manage' | 'self';
  readonly address: string;
  readonly nowMs: number;
  /** True if the FIDO key verified its user; undefined before the client has signed. */
  readonly personVerified: boolean | undefined;
}

/** Returns why a signed certificate is not accepted, or undefined if it is. */
export function faultOf(
  { certificate, ca }: SignedCertificate,
  { entryPoint, address, nowMs, personVerified }: Circumstances,
): string | undefined {
  const { kind, serial, keyId, key, validAfter, validBefore, criticalOptions } = certificate;
  const seconds = BigInt(Math.floor(nowMs / 1000));
  if (!ca.entryPoints.includes(entryPoint)) return `certificates of this CA are not accepted for ${entryPoint}@`;
  if (kind !== 'user') return 'it is not a user certificate';
  if (seconds < validAfter) return 'your certificate is not valid yet';
  if (seconds >= validBefore) return 'your certificate has expired';
  const { serials, keyIds, fingerprints } = ca.revoked;
  // As in OpenSSH's revocation lists, serial 0 means that the certificate has none.
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
      if (data.length > 0 || !keyType.startsWith('sk-'))
        return 'the verify-required option of your certificate is invalid';
      return personVerified === false ? 'your certificate requires a PIN or a fingerprint at the key' : undefined;
    default:
      // This includes force-command: it names a program, and this server runs none.
      return 'your certificate has a critical option that this server does not support';
  }
}

/** Parses source-address: a string within the option's data, of addresses and networks. Negation is not supported. */
function sourceAddresses(data: Buffer): AddressList | undefined {
  const text = data.length >= 4 && data.readUInt32BE() === data.length - 4 ? data.subarray(4).toString('latin1') : '';
  if (text.includes('!')) return undefined;
  try {
    return AddressList.parse(text);
  } catch {
    return undefined;
  }
}
