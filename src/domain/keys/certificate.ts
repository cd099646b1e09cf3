/**
 * OpenSSH user certificates (PROTOCOL.certkeys of OpenSSH): the decoder. It says what a certificate says of itself;
 * whether anybody who is believed here has signed it is for `src/identity/certificates.ts`.
 */
import { createHash } from 'node:crypto';
import { decodeKeyBlob, type KeyType } from './keyBlob.ts';
import { printable } from '../text.ts';
import { WireFault, WireReader, wireString } from './wire.ts';

/** A certificate's type, the type of the key in it, and how many fields that key has. */
const certificateTypes: readonly (readonly [certificate: string, key: KeyType, fields: number])[] = [
  ['ssh-ed25519-cert-v01@openssh.com', 'ssh-ed25519', 1],
  ['ecdsa-sha2-nistp256-cert-v01@openssh.com', 'ecdsa-sha2-nistp256', 2],
  ['ecdsa-sha2-nistp384-cert-v01@openssh.com', 'ecdsa-sha2-nistp384', 2],
  ['ecdsa-sha2-nistp521-cert-v01@openssh.com', 'ecdsa-sha2-nistp521', 2],
  ['ssh-rsa-cert-v01@openssh.com', 'ssh-rsa', 2],
  ['sk-ssh-ed25519-cert-v01@openssh.com', 'sk-ssh-ed25519@openssh.com', 2],
  ['sk-ecdsa-sha2-nistp256-cert-v01@openssh.com', 'sk-ecdsa-sha2-nistp256@openssh.com', 3],
];

/**
 * Names of algorithms for logins with certificates, each with the type of the certificate and the algorithm of the
 * signature that goes with it.
 */
export const certificateAlgorithms: ReadonlyMap<string, { readonly certificate: string; readonly signature: string }> =
  new Map([
    ...certificateTypes
      .filter(([, key]) => key !== 'ssh-rsa')
      .map(([certificate, key]) => [certificate, { certificate, signature: key }] as const),
    // The type itself as an algorithm would be RSA with SHA-1.
    ['rsa-sha2-256-cert-v01@openssh.com', { certificate: 'ssh-rsa-cert-v01@openssh.com', signature: 'rsa-sha2-256' }],
    ['rsa-sha2-512-cert-v01@openssh.com', { certificate: 'ssh-rsa-cert-v01@openssh.com', signature: 'rsa-sha2-512' }],
  ]);

/** Longer certificates are refused unread: one with all that is useful has about 2 KB. */
export const maxCertificateBytes = 12_288;
const maxPrincipals = 256;
const maxOptions = 64;

export interface Certificate {
  readonly type: string;
  /** The certified key. */
  readonly key: { readonly type: KeyType; readonly blob: Buffer; readonly fingerprint: string };
  /** Decimal; 64 bits. */
  readonly serial: string;
  readonly kind: 'user' | 'host';
  /** As it is in the certificate; {@link shownKeyId} is for people. */
  readonly keyId: string;
  readonly principals: readonly string[];
  /** Seconds since 1970: valid from the first on, and no more at the second. */
  readonly validAfter: bigint;
  readonly validBefore: bigint;
  /** Name → its data. */
  readonly criticalOptions: ReadonlyMap<string, Buffer>;
  /** The wire blob of the key that signed it, as it says itself. */
  readonly signatureKey: Buffer;
  /** What was signed, and the signature in the wire format. */
  readonly signed: Buffer;
  readonly signature: Buffer;
}

/** Decodes a blob that must be one certificate and nothing else. Throws {@link WireFault} or a BlobFault. */
export function decodeCertificate(blob: Buffer): Certificate {
  if (blob.length > maxCertificateBytes) throw new WireFault('it is too long');
  const reader = new WireReader(blob);
  const type = reader.string().toString('latin1');
  const [, keyType, fieldCount] = certificateTypes.find(([name]) => name === type) ?? [];
  if (keyType === undefined || fieldCount === undefined) throw new WireFault('it is not a certificate of a known type');
  reader.string();
  const fields = Array.from({ length: fieldCount }, () => reader.string());
  const key = decodeKeyBlob(keyType, Buffer.concat([wireString(keyType), ...fields.map(wireString)]));
  const serial = reader.uint64().toString();
  const kind = kindOf(reader.uint32());
  const keyId = text(reader.string());
  const principals = list(reader.string(), maxPrincipals).map(text);
  const validAfter = reader.uint64();
  const validBefore = reader.uint64();
  const criticalOptions = pairs(reader.string());
  // Extensions grant what is never granted here, and unknown ones are ignored (PROTOCOL.certkeys); they have to be
  // well-formed all the same.
  pairs(reader.string());
  reader.string();
  const signatureKey = reader.string();
  const signed = blob.subarray(0, reader.offset);
  const signature = reader.string();
  reader.end();
  const fingerprint = `SHA256:${createHash('sha256').update(key.blob).digest('base64').replace(/=+$/, '')}`;
  return {
    type,
    key: { type: keyType, blob: key.blob, fingerprint },
    serial,
    kind,
    keyId,
    principals,
    validAfter,
    validBefore,
    criticalOptions,
    signatureKey,
    signed,
    signature,
  };
}

/** A key id as it may be shown and recorded. */
export function shownKeyId(keyId: string): string {
  return printable([...keyId].slice(0, 128).join(''));
}

function kindOf(type: number): Certificate['kind'] {
  if (type === 1) return 'user';
  if (type === 2) return 'host';
  throw new WireFault('it is for neither a user nor a host');
}

function list(bytes: Buffer, most: number): Buffer[] {
  const reader = new WireReader(bytes);
  const found: Buffer[] = [];
  while (!reader.atEnd) {
    if (found.length >= most) throw new WireFault('it has too many principals or options');
    found.push(reader.string());
  }
  return found;
}

function pairs(bytes: Buffer): Map<string, Buffer> {
  const fields = list(bytes, 2 * maxOptions);
  if (fields.length % 2 !== 0) throw new WireFault('an option has no data');
  const found = new Map<string, Buffer>();
  for (let i = 0; i < fields.length; i += 2) {
    const name = text(fields[i] ?? Buffer.alloc(0));
    if (found.has(name)) throw new WireFault('an option stands there twice');
    found.set(name, fields[i + 1] ?? Buffer.alloc(0));
  }
  return found;
}

/** Names that differ in bytes must not become the same text. */
function text(bytes: Buffer): string {
  const decoded = bytes.toString('utf8');
  if (!Buffer.from(decoded, 'utf8').equals(bytes)) throw new WireFault('a text in it is not UTF-8');
  if (decoded.includes('\0')) throw new WireFault('a text in it has a NUL character');
  return decoded;
}
