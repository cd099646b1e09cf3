/**
 * Verifies SSH signatures with keys that were strictly decoded before (`src/domain/keys/keyBlob.ts`). ssh2's own key
 * parser is not used: it takes quadratic time on some inputs and misreads others.
 */
import { createHash, createPublicKey, verify as cryptoVerify, type KeyObject } from 'node:crypto';
import type { KeyType } from '../domain/keys/keyBlob.ts';
import { WireReader } from '../domain/keys/wire.ts';

export interface SigningKey {
  readonly type: KeyType;
  /** The key in wire format. */
  readonly blob: Buffer;
}

/** A valid signature, with the flags of a FIDO key (PROTOCOL.u2f). Both are false for other keys. */
export interface Verified {
  readonly touched: boolean;
  /** The key verified its user by PIN or fingerprint. */
  readonly personVerified: boolean;
}

const withoutFlags: Verified = { touched: false, personVerified: false };

/** Flags of PROTOCOL.u2f. */
const userPresent = 0x01;
const userVerified = 0x04;

/** Returns the signature algorithms accepted for a key type. RSA with SHA-1 (`ssh-rsa`, RFC 8332) is not accepted. */
const algorithmsOf = (type: KeyType): readonly string[] =>
  type === 'ssh-rsa' ? ['rsa-sha2-256', 'rsa-sha2-512'] : [type];

const ecdsa: Readonly<
  Partial<Record<KeyType, { readonly hash: string; readonly curve: string; readonly bytes: number }>>
> = {
  'ecdsa-sha2-nistp256': { hash: 'sha256', curve: 'P-256', bytes: 32 },
  'ecdsa-sha2-nistp384': { hash: 'sha384', curve: 'P-384', bytes: 48 },
  'ecdsa-sha2-nistp521': { hash: 'sha512', curve: 'P-521', bytes: 66 },
  'sk-ecdsa-sha2-nistp256@openssh.com': { hash: 'sha256', curve: 'P-256', bytes: 32 },
};

/**
 * Verifies a signature in wire format: the name of its algorithm, then the signature itself (RFC 4253, section 6.6).
 * Returns what a FIDO key states in it, or undefined if it is invalid. With `algorithm`, only that algorithm is
 * accepted; otherwise any that {@link algorithmsOf} lists.
 */
export function verifySignature(
  key: SigningKey,
  data: Buffer,
  signature: Buffer,
  algorithm?: string,
): Verified | undefined {
  try {
    const reader = new WireReader(signature);
    const named = reader.string().toString('latin1');
    if (!algorithmsOf(key.type).includes(named) || (algorithm !== undefined && named !== algorithm)) return undefined;
    const inner = reader.string();
    if (key.type.startsWith('sk-')) return verifySecurityKey(key, data, inner, reader);
    reader.end();
    const valid =
      key.type === 'ssh-rsa'
        ? cryptoVerify(named === 'rsa-sha2-512' ? 'sha512' : 'sha256', data, keyObject(key), inner)
        : cryptoVerify(
            ecdsa[key.type]?.hash ?? null,
            data,
            { key: keyObject(key), dsaEncoding: 'ieee-p1363' },
            ecdsa[key.type] === undefined ? inner : fixedLength(inner, key.type),
          );
    return valid ? withoutFlags : undefined;
  } catch {
    return undefined;
  }
}

/** Verifies the signature of a FIDO key: over the hashed application, the flags, a counter and the hashed data. */
function verifySecurityKey(key: SigningKey, data: Buffer, inner: Buffer, rest: WireReader): Verified | undefined {
  const flags = rest.bytes(1);
  const counter = rest.bytes(4);
  rest.end();
  const application = fieldsOf(key).at(-1) ?? Buffer.alloc(0);
  const signed = Buffer.concat([sha256(application), flags, counter, sha256(data)]);
  const valid =
    key.type === 'sk-ssh-ed25519@openssh.com'
      ? cryptoVerify(null, signed, keyObject(key), inner)
      : cryptoVerify(
          'sha256',
          signed,
          { key: keyObject(key), dsaEncoding: 'ieee-p1363' },
          fixedLength(inner, key.type),
        );
  if (!valid) return undefined;
  const flag = flags[0] ?? 0;
  return { touched: (flag & userPresent) !== 0, personVerified: (flag & userVerified) !== 0 };
}

/** Returns the fields of a key after its type. */
function fieldsOf({ blob }: SigningKey): Buffer[] {
  const reader = new WireReader(blob);
  reader.string();
  const fields: Buffer[] = [];
  while (!reader.atEnd) fields.push(reader.string());
  return fields;
}

/** Making one takes longer than verifying with it. */
const keyObjects = new WeakMap<SigningKey, KeyObject>();

function keyObject(key: SigningKey): KeyObject {
  const known = keyObjects.get(key);
  if (known !== undefined) return known;
  const made = makeKeyObject(key);
  keyObjects.set(key, made);
  return made;
}

function makeKeyObject(key: SigningKey): KeyObject {
  const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = fieldsOf(key);
  const curve = ecdsa[key.type];
  if (curve !== undefined) {
    // An uncompressed point (SEC 1, 2.3.3): 04, x, y.
    const x = second.subarray(1, 1 + curve.bytes).toString('base64url');
    const y = second.subarray(1 + curve.bytes).toString('base64url');
    return createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: curve.curve, x, y } });
  }
  if (key.type === 'ssh-rsa')
    return createPublicKey({
      format: 'jwk',
      key: { kty: 'RSA', e: first.toString('base64url'), n: second.toString('base64url') },
    });
  return createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: first.toString('base64url') } });
}

/** Converts r and s (RFC 5656, section 3.1.2) to IEEE P1363: both at the length of the curve, concatenated. */
function fixedLength(inner: Buffer, type: KeyType): Buffer {
  const bytes = ecdsa[type]?.bytes ?? 0;
  const reader = new WireReader(inner);
  const numbers = [reader.string(), reader.string()].map((field) => {
    const number = field[0] === 0 ? field.subarray(1) : field;
    // Buffer.alloc throws if the number is longer than the curve.
    return Buffer.concat([Buffer.alloc(bytes - number.length), number]);
  });
  reader.end();
  return Buffer.concat(numbers);
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
