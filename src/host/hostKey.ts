/** Makes SSH host keys: for the server itself, and for each container before its first start. */
import { createHash } from 'node:crypto';
import ssh2 from 'ssh2';

export interface HostKeyPair {
  /** OpenSSH private key format (PROTOCOL.key). */
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA…` without a comment. */
  readonly publicKey: string;
  /** `SHA256:…` */
  readonly fingerprint: string;
}

export function makeHostKey(comment: string): HostKeyPair {
  const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment });
  const publicKey = pair.public.split(' ').slice(0, 2).join(' ');
  return { privateKey: pair.private, publicKey, fingerprint: fingerprintOf(publicKey) };
}

/** `SHA256:…` of a public key line, as ssh-keygen(1) prints it. */
export function fingerprintOf(publicKeyLine: string): string {
  const blob = Buffer.from(publicKeyLine.split(' ')[1] ?? '', 'base64');
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}
