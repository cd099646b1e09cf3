/**
 * The binary form of a public key, as in the base64 part of an OpenSSH public key line: which kinds are taken, and a
 * decoder that accepts exactly one encoding of each key, so that equal keys have equal fingerprints.
 */
import { createPublicKey } from 'node:crypto';
import { WireFault, WireReader, wireString } from './wire.ts';

/** The kinds of keys that are accepted. DSA and short RSA are broken; certificates are not keys. */
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
export const minRsaBits = 3072;
/** What OpenSSL, and with it sshd, verifies at most (OPENSSL_RSA_MAX_MODULUS_BITS, OPENSSL_RSA_MAX_PUBEXP_BITS). */
const maxRsaBits = 16_384;
const maxRsaExponentBits = 64;

const ed25519Length = 32;

/** Why a blob is not an acceptable key: a clause for people, that quotes nothing of the blob. */
export class BlobFault extends Error {
  readonly next: string | undefined;

  constructor(why: string, next?: string) {
    super(why);
    this.name = 'BlobFault';
    this.next = next;
  }
}

export interface DecodedKey {
  /** The key encoded anew from its decoded parts. */
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

/** A positive `mpint` (RFC 4251 section 5): two's complement without needless leading zeros. */
function positive(field: Buffer, name: string): bigint {
  const [first, second] = field;
  if (first === undefined) throw new BlobFault(`its ${name} is zero`);
  if (first >= 0x80) throw new BlobFault(`its ${name} is negative`);
  if (first === 0 && (second === undefined || second < 0x80))
    throw new BlobFault(`its ${name} is not encoded in the shortest form`);
  return BigInt(`0x${field.toString('hex')}`);
}

function encodePositive(value: bigint): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  return (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes;
}

/** RFC 4253 section 6.6: e, n. */
function decodeRsa(fields: WireReader): { parts: Buffer[]; bits: number } {
  const exponent = positive(fields.string(), 'exponent');
  const modulus = positive(fields.string(), 'modulus');
  const bits = modulus.toString(2).length;
  if (bits < minRsaBits) {
    throw new BlobFault(
      `it is an RSA key of ${bits} bits, and fewer than ${minRsaBits} are not safe any more`,
      'make a new key: ssh-keygen -t ed25519',
    );
  }
  if (bits > maxRsaBits) throw new BlobFault(`it is an RSA key of ${bits} bits, and sshd takes ${maxRsaBits} at most`);
  if (modulus % 2n === 0n) throw new BlobFault('its modulus is even, which no RSA key has');
  if (exponent < 3n || exponent % 2n === 0n || exponent.toString(2).length > maxRsaExponentBits) {
    throw new BlobFault('its exponent is not one that an RSA key can have');
  }
  return { parts: [encodePositive(exponent), encodePositive(modulus)], bits };
}

/**
 * RFC 5656 section 3.1: the curve's name and an uncompressed point (SEC 1 section 2.3.3), which must be on the curve.
 */
function decodeEcdsa(fields: WireReader, curve: Curve): { parts: Buffer[]; bits: number } {
  const name = fields.string();
  if (!name.equals(Buffer.from(curve.name)))
    throw new BlobFault('the curve inside it is not the one that its type names');
  const point = fields.string();
  const size = Math.ceil(curve.bits / 8);
  if (point.length !== 1 + 2 * size || point[0] !== 4) throw new BlobFault('its point does not have the right form');
  const x = point.subarray(1, 1 + size);
  const y = point.subarray(1 + size);
  try {
    createPublicKey({
      format: 'jwk',
      key: { kty: 'EC', crv: curve.jwk, x: x.toString('base64url'), y: y.toString('base64url') },
    });
  } catch {
    throw new BlobFault('its point is not on the curve');
  }
  return { parts: [name, Buffer.concat([Buffer.from([4]), x, y])], bits: curve.bits };
}

/** RFC 8709 section 4: 32 bytes. */
function decodeEd25519(fields: WireReader): { parts: Buffer[]; bits: number } {
  const key = fields.string();
  if (key.length !== ed25519Length) throw new BlobFault(`its key has ${key.length} bytes instead of ${ed25519Length}`);
  return { parts: [key], bits: 256 };
}

/** OpenSSH's PROTOCOL.u2f: after the key, the application string (`ssh:` as a rule); like sshd, one without NUL. */
function decodeApplication(fields: WireReader): Buffer {
  const application = fields.string();
  if (application.includes(0)) throw new BlobFault('its application string has a NUL character');
  return application;
}

/** Decodes `blob`, which must be one key of type `type` and nothing else. Throws {@link BlobFault}. */
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
    throw new BlobFault(`the line says ${type}, but the key inside is ${known ?? 'of another type'}`);
  }
  const curve = curves.get(type);
  const { parts, bits } =
    curve !== undefined ? decodeEcdsa(fields, curve) : type === 'ssh-rsa' ? decodeRsa(fields) : decodeEd25519(fields);
  if (type.startsWith('sk-')) parts.push(decodeApplication(fields));
  if (!fields.atEnd) throw new BlobFault('there is something left over after the key');
  const encoded = Buffer.concat([wireString(type), ...parts.map(wireString)]);
  // The checks above leave one encoding per key; should one ever be missing, no second spelling gets through.
  if (!encoded.equals(blob)) throw new BlobFault('it is not encoded in the usual form');
  return { blob: encoded, bits };
}

/** The type that a blob says it has, where keys of that type are taken. */
export function typeOfBlob(blob: Buffer): KeyType | undefined {
  try {
    const type = new WireReader(blob).string();
    return keyTypes.find((candidate) => type.equals(Buffer.from(candidate)));
  } catch {
    return undefined;
  }
}
