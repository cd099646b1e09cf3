/**
 * Verifies a login signature with the key as it is stored here: nothing of what the client sent is parsed as a key, because ssh2's
 * parser takes quadratic time on some inputs and misreads others.
 */
import { createHash, createPublicKey, verify as cryptoVerify, type KeyObject } from 'node:crypto';
import ssh2 from 'ssh2';

export interface SignedLogin {
  /** Type of the stored key. */
  readonly type: string;
  /** The stored key's wire blob. */
  readonly blob: Buffer;
  /** What was signed (RFC 4252, section 7). */
  readonly data: Buffer;
  readonly signature: Buffer;
  /** For RSA the hash that the client named; without one it is SHA-1. */
  readonly hash: string | undefined;
}

export function verifyLogin({ type, blob, data, signature, hash }: SignedLogin): boolean {
  try {
    if (type === 'sk-ssh-ed25519@openssh.com' || type === 'sk-ecdsa-sha2-nistp256@openssh.com') return verifySecurityKey(type, blob, data, signature);
    if (type === 'ssh-rsa' && hash !== 'sha256' && hash !== 'sha512') return false;
    const key = ssh2.utils.parseKey(`${type} ${blob.toString('base64')}`);
    if (key instanceof Error) return false;
    // ssh2 gives a list where its types say that there is one key.
    const [one] = [key].flat();
    return one?.verify(data, signature, hash) === true;
  } catch {
    return false;
  }
}

/** Reads length-prefixed fields of the SSH wire format (RFC 4251, section 5). */
class Fields {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  string(): Buffer {
    const length = this.#bytes.readUInt32BE(this.#at);
    const end = this.#at + 4 + length;
    if (end > this.#bytes.length) throw new RangeError('field beyond the end');
    const field = this.#bytes.subarray(this.#at + 4, end);
    this.#at = end;
    return field;
  }

  bytes(count: number): Buffer {
    if (this.#at + count > this.#bytes.length) throw new RangeError('bytes beyond the end');
    const taken = this.#bytes.subarray(this.#at, this.#at + count);
    this.#at += count;
    return taken;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }
}

/** Flag of PROTOCOL.u2f: somebody touched the key. */
const userPresent = 0x01;

/** FIDO keys (OpenSSH PROTOCOL.u2f): the signature is over the hashed application, flags, a counter, and the hashed data. A touch is required. */
function verifySecurityKey(type: string, blob: Buffer, data: Buffer, signature: Buffer): boolean {
  const key = new Fields(blob);
  key.string();
  const ed25519 = type === 'sk-ssh-ed25519@openssh.com';
  if (!ed25519) key.string();
  const point = key.string();
  const application = key.string();

  // ssh2 has taken the algorithm name and the length of the inner signature off the front.
  const fields = new Fields(signature);
  const inner = ed25519 ? fields.bytes(64) : derSignature(fields.string(), fields.string());
  const flags = fields.bytes(1);
  const counter = fields.bytes(4);
  if (!fields.atEnd || ((flags[0] ?? 0) & userPresent) === 0) return false;
  const signed = Buffer.concat([sha256(application), flags, counter, sha256(data)]);
  return cryptoVerify(ed25519 ? null : 'sha256', signed, ed25519 ? ed25519Key(point) : p256Key(point), inner);
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function ed25519Key(point: Buffer): KeyObject {
  return createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: point.toString('base64url') } });
}

/** An uncompressed point (SEC 1, 2.3.3): 04, x, y. */
function p256Key(point: Buffer): KeyObject {
  const x = point.subarray(1, 33).toString('base64url');
  const y = point.subarray(33, 65).toString('base64url');
  return createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x, y } });
}

/** r and s of RFC 5656 as the DER sequence that node:crypto takes. */
function derSignature(r: Buffer, s: Buffer): Buffer {
  const integer = (value: Buffer): Buffer => Buffer.concat([Buffer.from([0x02, value.length]), value]);
  const body = Buffer.concat([integer(r), integer(s)]);
  return Buffer.concat([Buffer.from([0x30, body.length]), body]);
}
