/**
 * Public keys in binary form, as in the base64 part of an OpenSSH public key line. The decoder accepts exactly one
 * encoding of each key, so that equal keys have equal fingerprints.
 */
import { createPublicKey } from 'node:crypto';
import { WireFault, WireReader, wireString } from './wire.ts';

/** Accepted key types. DSA is broken, and certificates are not keys. */
export const keyTypes = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'ssh-rsa',
  'sk-ssh-ed25519@openssh.com',
  'sk-ecdsa-sha2-nistp256@openssh.com',
] as const;
export type KeyType = (typeof keyTypes)[number];

/** NIST SP 800-57 part 1: 3072 bits for 128 bits of security. */
const minRsaBits = 3072;
/** Limits of OpenSSL, and so of sshd (OPENSSL_RSA_MAX_MODULUS_BITS, OPENSSL_RSA_MAX_PUBEXP_BITS). */
const maxRsaBits = 16_384;
const maxRsaExponentBits = 64;

const ed25519Length = 32;

/** An error that says why a blob is not an acceptable key, as a clause that quotes nothing from the blob. */
export class BlobFault extends Error {
  readonly next: string | undefined;

  constructor(why: string, next?: string) {
    super(why);
    this.name = 'BlobFault';
    this.next = next;
  }
}

export interface DecodedKey {
  /** The key, encoded again from its decoded parts. */
  readonly blob: Buffer;
  /** The size that `ssh-keygen -l` shows. */
  readonly bits: number;
}

interface Curve {
  readonly name: string;
  readonly jwk: string;
  readonly bits: number;
}

const curves: ReadonlyMap<KeyType, Curve> = new Map([
  ['ecdsa-sha2-nistp256', { name: 'nistp256', jwk: 'P-256', bits: 256 }],
  ['ecdsa-sha2-nistp384', { name: 'nistp384', jwk: 'P-384', bits: 384 }],
  ['ecdsa-sha2-nistp521', { name: 'nistp521', jwk: 'P-521', bits: 521 }],
  ['sk-ecdsa-sha2-nistp256@openssh.com', { name: 'nistp256', jwk: 'P-256', bits: 256 }],
]);

/** Decodes a positive `mpint` (RFC 4251 section 5): two's complement without unnecessary leading zeros. */
function positive(field: Buffer, name: string): bigint {
  const [first, second] = field;
  if (first === undefined) throw new BlobFault(`the ${name} is zero`);
  if (first >= 0x80) throw new BlobFault(`the ${name} is negative`);
  if (first === 0 && (second === undefined || second < 0x80))
    throw new BlobFault(`the ${name} is not in its shortest encoding`);
  return BigInt(`0x${field.toString('hex')}`);
}

function encodePositive(value: bigint): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  return (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes;
}

/** Decodes the fields of an RSA key: e and n (RFC 4253 section 6.6). */
function decodeRsa(fields: WireReader): { parts: Buffer[]; bits: number } {
  const exponent = positive(fields.string(), 'exponent');
  const modulus = positive(fields.string(), 'modulus');
  const bits = modulus.toString(2).length;
  if (bits < minRsaBits) {
    throw new BlobFault(
      `an RSA key of ${bits} bits is too short: at least ${minRsaBits} bits are required`,
      'create a new key: ssh-keygen -t ed25519',
    );
  }
  if (bits > maxRsaBits)
    throw new BlobFault(`an RSA key of ${bits} bits is too long: sshd accepts at most ${maxRsaBits}`);
  if (modulus % 2n === 0n) throw new BlobFault('the modulus is even');
  if (exponent < 3n || exponent % 2n === 0n || exponent.toString(2).length > maxRsaExponentBits) {
    throw new BlobFault('the exponent is not valid for an RSA key');
  }
  return { parts: [encodePositive(exponent), encodePositive(modulus)], bits };
}

/**
 * Decodes the fields of an ECDSA key (RFC 5656 section 3.1): the name of the curve and an uncompressed point (SEC 1
 * section 2.3.3), which must be on the curve.
 */
function decodeEcdsa(fields: WireReader, curve: Curve): { parts: Buffer[]; bits: number } {
  const name = fields.string();
  if (!name.equals(Buffer.from(curve.name))) throw new BlobFault('the curve does not match the key type');
  const point = fields.string();
  const size = Math.ceil(curve.bits / 8);
  if (point.length !== 1 + 2 * size || point[0] !== 4) throw new BlobFault('the point is malformed');
  const x = point.subarray(1, 1 + size);
  const y = point.subarray(1 + size);
  try {
    createPublicKey({
      format: 'jwk',
      key: { kty: 'EC', crv: curve.jwk, x: x.toString('base64url'), y: y.toString('base64url') },
    });
  } catch {
    throw new BlobFault('the point is not on the curve');
  }
  return { parts: [name, Buffer.concat([Buffer.from([4]), x, y])], bits: curve.bits };
}

/** Decodes the field of an Ed25519 key: 32 bytes (RFC 8709 section 4). */
function decodeEd25519(fields: WireReader): { parts: Buffer[]; bits: number } {
  const key = fields.string();
  if (key.length !== ed25519Length) throw new BlobFault(`the key has ${key.length} bytes instead of ${ed25519Length}`);
  return { parts: [key], bits: 256 };
}

/** Decodes the application string that follows a FIDO key (PROTOCOL.u2f), usually `ssh:`. Like sshd, refuses NUL. */
function decodeApplication(fields: WireReader): Buffer {
  const application = fields.string();
  if (application.includes(0)) throw new BlobFault('the application string contains a NUL character');
  return application;
}

/** Decodes `blob`, which must be exactly one key of type `type`. Throws {@link BlobFault}. */
export function decodeKeyBlob(type: KeyType, blob: Buffer): DecodedKey {
  try {
    return decode(type, blob);
  } catch (error) {
    if (error instanceof WireFault) throw new BlobFault(error.message);
    throw error;
  }
}

function decode(type: KeyType, blob: Buffer): DecodedKey {
  const fields = new WireReader(blob);
  const inner = fields.string();
  if (!inner.equals(Buffer.from(type))) {
    const known = keyTypes.find((candidate) => inner.equals(Buffer.from(candidate)));
    throw new BlobFault(`the line says ${type}, but the key is ${known ?? 'of another type'}`);
  }
  const curve = curves.get(type);
  const { parts, bits } =
    curve !== undefined ? decodeEcdsa(fields, curve) : type === 'ssh-rsa' ? decodeRsa(fields) : decodeEd25519(fields);
  if (type.startsWith('sk-')) parts.push(decodeApplication(fields));
  if (!fields.atEnd) throw new BlobFault('unexpected data after the key');
  const encoded = Buffer.concat([wireString(type), ...parts.map(wireString)]);
  // Redundant with the checks above. If one of them is ever missing, no second encoding of a key gets through.
  if (!encoded.equals(blob)) throw new BlobFault('not in canonical encoding');
  return { blob: encoded, bits };
}

/** Returns the type that a blob claims, or undefined if that type is not accepted. */
export function typeOfBlob(blob: Buffer): KeyType | undefined {
  try {
    const type = new WireReader(blob).string();
    return keyTypes.find((candidate) => type.equals(Buffer.from(candidate)));
  } catch {
    return undefined;
  }
}
