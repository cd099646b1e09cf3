/**
 * Decoder for OpenSSH user certificates (PROTOCOL.certkeys of OpenSSH). It does not verify them:
 * `src/identity/certificates.ts` checks whether a trusted CA has signed a certificate.
 */
import { createHash } from 'node:crypto';
import { decodeKeyBlob, type KeyType } from './keyBlob.ts';
import { printable } from '../text.ts';
import { WireFault, WireReader, wireString } from './wire.ts';

/** Certificate types, each with the type of the certified key and the number of that key's fields. */
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
 * Public key algorithms for logins with certificates, each with its certificate type and signature algorithm.
 */
export const certificateAlgorithms: ReadonlyMap<string, { readonly certificate: string; readonly signature: string }> =
  new Map([
    ...certificateTypes
      .filter(([, key]) => key !== 'ssh-rsa')
      .map(([certificate, key]) => [certificate, { certificate, signature: key }] as const),
    // ssh-rsa-cert-v01@openssh.com as an algorithm would mean RSA with SHA-1.
    ['rsa-sha2-256-cert-v01@openssh.com', { certificate: 'ssh-rsa-cert-v01@openssh.com', signature: 'rsa-sha2-256' }],
    ['rsa-sha2-512-cert-v01@openssh.com', { certificate: 'ssh-rsa-cert-v01@openssh.com', signature: 'rsa-sha2-512' }],
  ]);

/** Maximum length. Longer certificates are refused unread; useful ones have about 2 KB. */
const maxCertificateBytes = 12_288;
const maxPrincipals = 256;
const maxOptions = 64;

export interface Certificate {
  readonly type: string;
  /** The certified key. */
  readonly key: { readonly type: KeyType; readonly blob: Buffer; readonly fingerprint: string };
  /** Decimal; 64 bits. */
  readonly serial: string;
  readonly kind: 'user' | 'host';
  /** As in the certificate, unchecked. Use {@link shownKeyId} to show it. */
  readonly keyId: string;
  readonly principals: readonly string[];
  /** Seconds since 1970. The certificate is valid from `validAfter` (inclusive) to `validBefore` (exclusive). */
  readonly validAfter: bigint;
  readonly validBefore: bigint;
  /** Option data by name. */
  readonly criticalOptions: ReadonlyMap<string, Buffer>;
  /** The wire blob of the CA key, as claimed by the certificate. */
  readonly signatureKey: Buffer;
  /** The signed bytes, and the signature in wire format. */
  readonly signed: Buffer;
  readonly signature: Buffer;
}

/** Decodes a blob that must be exactly one certificate. Throws {@link WireFault} or a BlobFault. */
export function decodeCertificate(blob: Buffer): Certificate {
  if (blob.length > maxCertificateBytes) throw new WireFault('too long');
  const reader = new WireReader(blob);
  const type = reader.string().toString('latin1');
  const [, keyType, fieldCount] = certificateTypes.find(([name]) => name === type) ?? [];
  if (keyType === undefined || fieldCount === undefined) throw new WireFault('not a certificate of a known type');
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
  // Extensions only permit features that this server does not offer, so they are ignored, as PROTOCOL.certkeys demands
  // for unknown ones. They must still be well-formed.
  pairs(reader.string());
  reader.string();
  const signatureKey = reader.string();
  const signed = blob.subarray(0, reader.offset);
  const signature = reader.string();
  reader.end();
  const fingerprint = `SHA256:${createHash('sha256').update(key.blob).digest('base64').replace(/=$/, '')}`;
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

/** Returns a key id that is safe to show and record. */
export function shownKeyId(keyId: string): string {
  return printable([...keyId].slice(0, 128).join(''));
}

function kindOf(type: number): Certificate['kind'] {
  if (type === 1) return 'user';
  if (type === 2) return 'host';
  throw new WireFault('neither a user nor a host certificate');
}

function list(bytes: Buffer, maxCount: number): Buffer[] {
  const reader = new WireReader(bytes);
  const found: Buffer[] = [];
  while (!reader.atEnd) {
    if (found.length >= maxCount) throw new WireFault('too many principals or options');
    found.push(reader.string());
  }
  return found;
}

function pairs(bytes: Buffer): Map<string, Buffer> {
  const fields = list(bytes, 2 * maxOptions);
  if (fields.length % 2 !== 0) throw new WireFault('option without data');
  const found = new Map<string, Buffer>();
  for (let i = 0; i < fields.length; i += 2) {
    const name = text(fields[i] ?? Buffer.alloc(0));
    if (found.has(name)) throw new WireFault('duplicate option');
    found.set(name, fields[i + 1] ?? Buffer.alloc(0));
  }
  return found;
}

/** Decodes strict UTF-8, so that different bytes never become the same text. */
function text(bytes: Buffer): string {
  const decoded = bytes.toString('utf8');
  if (!Buffer.from(decoded, 'utf8').equals(bytes)) throw new WireFault('text is not valid UTF-8');
  if (decoded.includes('\0')) throw new WireFault('text contains a NUL character');
  return decoded;
}
