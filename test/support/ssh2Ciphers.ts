/** ssh2's ciphers without a connection: an encrypting and a decrypting end. */
import { randomBytes } from 'node:crypto';
import { moduleOf } from './patchedSsh2.ts';

interface CipherInfo {
  readonly keyLen: number;
  readonly ivLen: number;
}

interface Ciphers {
  readonly CIPHER_INFO: Readonly<Record<string, CipherInfo>>;
  readonly init: Promise<void>;
  createCipher(config: object): { allocPacket(payloadBytes: number): Buffer; encrypt(packet: Buffer): void };
  createDecipher(config: object): { decrypt(data: Buffer, from: number, to: number): void };
}

export interface CipherPair {
  readonly cipher: object;
  readonly decipher: object;
  /** Encrypts a payload, decrypts it, and returns the result. */
  pass(payload: Buffer): Buffer;
}

/**
 * Returns both ends of a cipher of the ssh2 in `copy`. Names are those of RFC 4253, section 6.3, and its extensions.
 */
export async function cipherPair(copy: string, name: string): Promise<CipherPair> {
  const { CIPHER_INFO, init, createCipher, createDecipher } = moduleOf(copy, 'lib', 'protocol', 'crypto.js') as Ciphers;
  await init;
  const info = CIPHER_INFO[name];
  if (info === undefined) throw new Error(`ssh2 has no ${name}`);
  const key = randomBytes(info.keyLen);
  const iv = randomBytes(info.ivLen);
  let pieces: Buffer[] = [];
  let got: Buffer = Buffer.alloc(0);
  const cipher = createCipher({
    outbound: {
      seqno: 0,
      cipherInfo: info,
      cipherKey: key,
      cipherIV: Buffer.from(iv),
      onWrite: (piece: Buffer) => void pieces.push(piece),
    },
  });
  const decipher = createDecipher({
    inbound: {
      seqno: 0,
      decipherInfo: info,
      decipherKey: key,
      decipherIV: Buffer.from(iv),
      onPayload: (payload: Buffer) => void (got = payload),
    },
  });
  return {
    cipher,
    decipher,
    pass(payload) {
      pieces = [];
      const packet = cipher.allocPacket(payload.length);
      payload.copy(packet, 5);
      cipher.encrypt(packet);
      const wire = Buffer.concat(pieces);
      decipher.decrypt(wire, 0, wire.length);
      return got;
    },
  };
}
