/** Generates and reads SSH host keys: the server's own, and one for each container before its first start. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { WireReader, wireString } from '../domain/keys/wire.ts';

export interface HostKeyPair {
  /** OpenSSH private key format (PROTOCOL.key). */
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA…` without a comment. */
  readonly publicKey: string;
  /** `SHA256:…` */
  readonly fingerprint: string;
}

const type = 'ssh-ed25519';
/** Block size of the cipher "none" (PROTOCOL.key), to which the private part is padded. */
const blockBytes = 8;

/**
 * Generates an ed25519 key pair. ssh2's own generator drops leading zero bytes of the public part, so that no
 * sshd and no client could read one key in 256.
 */
export function makeHostKey(comment: string): HostKeyPair {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return encodeHostKey(Buffer.from(jwk.d ?? '', 'base64url'), Buffer.from(jwk.x ?? '', 'base64url'), comment);
}

/** Encodes a seed and its public point, 32 bytes each (RFC 8032), as a key pair. */
export function encodeHostKey(seed: Buffer, point: Buffer, comment: string): HostKeyPair {
  if (seed.length !== 32 || point.length !== 32) throw new RangeError('an ed25519 key has 32 bytes');
  const blob = Buffer.concat([wireString(type), wireString(point)]);
  const check = randomBytes(4);
  const inner = Buffer.concat([check, check, blob, wireString(Buffer.concat([seed, point])), wireString(comment)]);
  const padding = Buffer.from(
    Array.from({ length: (blockBytes - (inner.length % blockBytes)) % blockBytes }, (_, i) => i + 1),
  );
  const file = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    wireString('none'),
    wireString('none'),
    wireString(''),
    Buffer.from([0, 0, 0, 1]),
    wireString(blob),
    wireString(Buffer.concat([inner, padding])),
  ]);
  const lines = file.toString('base64').match(/.{1,70}/g) ?? [];
  const publicKey = `${type} ${blob.toString('base64')}`;
  return {
    privateKey: ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n'),
    publicKey,
    fingerprint: fingerprintOf(publicKey),
  };
}

/** The PKCS #8 header before the 32 bytes of a seed (RFC 8410, section 7). */
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * Parses a private key file as {@link encodeHostKey} and ssh-keygen(1) write it: ed25519, without a passphrase.
 *
 * @throws Error with the reason, for any other file or if the parts do not match
 */
export function decodeHostKey(text: string): HostKeyPair {
  const { file, cipher, blob } = opened(text);
  if (cipher !== 'none') throw new Error('it has a passphrase');
  const inner = new WireReader(file.string());
  const check = inner.bytes(4);
  if (!check.equals(inner.bytes(4))) throw new Error('its check numbers differ');
  if (inner.string().toString() !== type) throw new Error(`it is not of type ${type}`);
  const point = inner.string();
  const pair = inner.string();
  const comment = inner.string().toString();
  const seed = pair.subarray(0, 32);
  if (pair.length !== 64 || !pair.subarray(32).equals(point) || !publicPoint(seed).equals(point))
    throw new Error('its private part does not belong to its public part');
  const decoded = encodeHostKey(seed, point, comment);
  if (decoded.publicKey !== `${type} ${blob.toString('base64')}`)
    throw new Error('its private part does not belong to its public part');
  return { ...decoded, privateKey: text };
}

/**
 * Returns the public key, in the wire format, that a private key file in OpenSSH's format has before its secret part,
 * which may have a passphrase. Undefined for any other text.
 */
export function publicHalf(text: string): Buffer | undefined {
  try {
    return opened(text).blob;
  } catch {
    return undefined;
  }
}

/** Reads a private key file up to its secret part (PROTOCOL.key). Throws an Error with the reason. */
function opened(text: string): { readonly file: WireReader; readonly cipher: string; readonly blob: Buffer } {
  const base64 =
    /^-----BEGIN OPENSSH PRIVATE KEY-----\n([A-Za-z0-9+/=\n]+)\n-----END OPENSSH PRIVATE KEY-----\s*$/.exec(text)?.[1];
  if (base64 === undefined) throw new Error("it is not a private key in OpenSSH's format");
  const file = new WireReader(Buffer.from(base64, 'base64'));
  if (file.bytes(15).toString('latin1') !== 'openssh-key-v1\0')
    throw new Error("it is not a private key in OpenSSH's format");
  const cipher = file.string().toString();
  file.string();
  file.string();
  if (file.uint32() !== 1) throw new Error('it holds more than one key');
  return { file, cipher, blob: file.string() };
}

function publicPoint(seed: Buffer): Buffer {
  const key = createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: 'der', type: 'pkcs8' });
  return Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x ?? '', 'base64url');
}

/** Returns the `SHA256:…` fingerprint of a public key line, as ssh-keygen(1) prints it. */
export function fingerprintOf(publicKeyLine: string): string {
  const blob = Buffer.from(publicKeyLine.split(' ')[1] ?? '', 'base64');
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=$/, '')}`;
}
