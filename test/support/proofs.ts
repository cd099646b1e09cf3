/** Keys and login proofs, made in this process, including invalid ones that a client or a front could present. */
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import type { Identity } from '../../src/domain/access/actor.ts';
import type { LoginProof } from '../../src/domain/access/login.ts';

export interface IdentityKey {
  readonly identity: Identity;
  readonly private: KeyObject;
}

/** Encodes strings in wire format (RFC 4251, section 5). Independent of the server's implementation. */
export function wire(...fields: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(
    fields.map((field) => {
      const bytes = Buffer.from(field as string);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return Buffer.concat([length, bytes]);
    }),
  );
}

/** Makes an ed25519 key that belongs to an admin or a user. */
export function makeIdentity(what: Pick<Identity, 'admin' | 'owns'>): IdentityKey {
  const { privateKey } = generateKeyPairSync('ed25519');
  const blob = wire('ssh-ed25519', Buffer.from(privateKey.export({ format: 'jwk' }).x ?? '', 'base64url'));
  const fingerprint = `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
  return {
    identity: { blob: blob.toString('base64'), type: 'ssh-ed25519', fingerprint, ...what },
    private: privateKey,
  };
}

/** Returns the proof of a login, signed by `signer` (RFC 4252, section 7). Core rejects any other `service`. */
export function proofBy(
  signer: (data: Buffer) => Buffer,
  {
    username,
    algorithm,
    blob,
    sessionId = randomBytes(32),
    service = 'ssh-connection',
  }: { username: string; algorithm: string; blob: Buffer; sessionId?: Buffer; service?: string },
): LoginProof {
  const data = Buffer.concat([
    wire(sessionId),
    Buffer.from([50]),
    wire(username, service, 'publickey'),
    Buffer.from([1]),
    wire(algorithm, blob),
  ]);
  return {
    username,
    algorithm,
    blob: blob.toString('base64'),
    sessionId: sessionId.toString('base64'),
    signature: signer(data).toString('base64'),
  };
}

/** Returns the proof of a login with an ed25519 key. */
export function prove(
  key: IdentityKey,
  username: string,
  more: { sessionId?: Buffer; service?: string } = {},
): LoginProof {
  const blob = Buffer.from(key.identity.blob, 'base64');
  return proofBy((data) => wire('ssh-ed25519', sign(null, data, key.private)), {
    username,
    algorithm: 'ssh-ed25519',
    blob,
    ...more,
  });
}
