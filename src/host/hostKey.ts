/** Makes SSH host keys: for the server itself, and for each container before its first start. */
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';

export interface HostKeyPair {
  /** OpenSSH private key format (PROTOCOL.key). */
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA…` without a comment. */
  readonly publicKey: string;
  /** `SHA256:…` */
  readonly fingerprint: string;
}

const type = 'ssh-ed25519';
/** Block size of the cipher "none" in PROTOCOL.key: the private part is padded to it. */
const blockBytes = 8;

/**
 * An ed25519 key pair. Written out here because ssh2's own generator drops leading zero bytes of the public part: one key in 256 was
 * one that no sshd and no client can read.
 */
export function makeHostKey(comment: string): HostKeyPair {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return encodeHostKey(Buffer.from(jwk.d ?? '', 'base64url'), Buffer.from(jwk.x ?? '', 'base64url'), comment);
}

/** The key pair of a seed and the public point that belongs to it, 32 bytes each (RFC 8032). */
export function encodeHostKey(seed: Buffer, point: Buffer, comment: string): HostKeyPair {
  if (seed.length !== 32 || point.length !== 32) throw new RangeError('an ed25519 key has 32 bytes');
  const blob = Buffer.concat([string(type), string(point)]);
  const check = randomBytes(4);
  const inner = Buffer.concat([check, check, blob, string(Buffer.concat([seed, point])), string(comment)]);
  const padding = Buffer.from(Array.from({ length: (blockBytes - (inner.length % blockBytes)) % blockBytes }, (_, i) => i + 1));
  const file = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    string('none'),
    string('none'),
    string(''),
    Buffer.from([0, 0, 0, 1]),
    string(blob),
    string(Buffer.concat([inner, padding])),
  ]);
  const lines = file.toString('base64').match(/.{1,70}/g) ?? [];
  const publicKey = `${type} ${blob.toString('base64')}`;
  return {
    privateKey: ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n'),
    publicKey,
    fingerprint: fingerprintOf(publicKey),
  };
}

/** A length-prefixed string of the SSH wire format (RFC 4251, section 5). */
function string(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** `SHA256:…` of a public key line, as ssh-keygen(1) prints it. */
export function fingerprintOf(publicKeyLine: string): string {
  const blob = Buffer.from(publicKeyLine.split(' ')[1] ?? '', 'base64');
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}
