import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFailure } from '../../../../src/domain/failure.ts';
import { BlobFault, decodeKeyBlob, keyTypes, type KeyType } from '../../../../src/domain/keys/keyBlob.ts';
import { parsePublicKey, parsePublicKeys, type PublicKey } from '../../../../src/domain/keys/publicKey.ts';
import { anyCharacter } from '../../../support/anyCharacter.ts';
import { ecPoint, ed25519Blob, fields, lineOf, skEcdsaBlob, skEd25519Blob } from './sshKeygen.ts';

const jwk = generateKeyPairSync('rsa', { modulusLength: 3072 }).publicKey.export({ format: 'jwk' });
const modulus = Buffer.from(jwk.n ?? '', 'base64url');
const exponent = Buffer.from(jwk.e ?? '', 'base64url');
const zero = Buffer.alloc(1);

function rsaBlob(e: Buffer, n: Buffer): Buffer {
  return fields('ssh-rsa', e, n);
}

const good: Record<KeyType, Buffer> = {
  'ssh-ed25519': ed25519Blob(),
  'ecdsa-sha2-nistp256': fields('ecdsa-sha2-nistp256', 'nistp256', ecPoint('P-256')),
  'ecdsa-sha2-nistp384': fields('ecdsa-sha2-nistp384', 'nistp384', ecPoint('P-384')),
  'ecdsa-sha2-nistp521': fields('ecdsa-sha2-nistp521', 'nistp521', ecPoint('P-521')),
  'ssh-rsa': rsaBlob(exponent, Buffer.concat([zero, modulus])),
  'sk-ssh-ed25519@openssh.com': skEd25519Blob(),
  'sk-ecdsa-sha2-nistp256@openssh.com': skEcdsaBlob(),
};

/** Returns the message of the fault. Any other error is returned as text, so that it shows in the comparison. */
function faultOf(type: KeyType, blob: Buffer): string {
  try {
    decodeKeyBlob(type, blob);
  } catch (error) {
    return error instanceof BlobFault ? error.message : `not a fault: ${String(error)}`;
  }
  return 'accepted';
}

/** Valid blobs with one change: flipped bits, missing bytes or additional bytes. */
const mutated = fc
  .tuple(
    fc.constantFrom(...keyTypes),
    fc.constantFrom('flip', 'cut', 'insert', 'append', 'drop'),
    fc.nat(),
    fc.uint8Array({ minLength: 1, maxLength: 4 }),
  )
  .map(([type, how, where, bytes]): [KeyType, Buffer] => {
    const blob = Buffer.from(good[type]);
    const at = where % blob.length;
    const extra = Buffer.from(bytes);
    if (how === 'cut') return [type, blob.subarray(0, at)];
    if (how === 'insert') return [type, Buffer.concat([blob.subarray(0, at), extra, blob.subarray(at)])];
    if (how === 'append') return [type, Buffer.concat([blob, extra])];
    if (how === 'drop') return [type, Buffer.concat([blob.subarray(0, at), blob.subarray(at + extra.length)])];
    blob[at] = (blob[at] ?? 0) ^ (extra[0] ?? 1);
    return [type, blob];
  });

describe('decodeKeyBlob', () => {
  it.each(keyTypes)('returns the blob of a valid key of type %s', (type) => {
    expect(decodeKeyBlob(type, good[type]).blob).toEqual(good[type]);
  });

  it.each(keyTypes)('refuses a key of type %s under any other type', (type) => {
    for (const other of keyTypes.filter((candidate) => candidate !== type)) {
      expect(faultOf(other, good[type])).toBe(`the line says ${other}, but the key is ${type}`);
    }
  });

  it.each(keyTypes)('refuses a key of type %s that is truncated anywhere, or has an extra byte', (type) => {
    const blob = good[type];
    for (let length = 0; length < blob.length; length += 1)
      expect(faultOf(type, blob.subarray(0, length))).toBe('truncated');
    expect(faultOf(type, Buffer.concat([blob, zero]))).toBe('unexpected data after the key');
  });

  const point = ecPoint('P-256');
  const offCurve = Buffer.from(point);
  offCurve[64] = (offCurve[64] ?? 0) ^ 1;
  /** Returns a key on nistp256 with the given point. */
  const p256 = (...parts: Buffer[]): Buffer => fields('ecdsa-sha2-nistp256', 'nistp256', Buffer.concat(parts));
  const skOffCurve = fields('sk-ecdsa-sha2-nistp256@openssh.com', 'nistp256', offCurve, 'ssh:');
  const even = Buffer.from(modulus);
  even[even.length - 1] = (even.at(-1) ?? 0) & 0xfe;
  const n = Buffer.concat([zero, modulus]);
  const oversized = Buffer.concat([Buffer.from([1]), Buffer.alloc(2048, 255)]);

  it.each<[string, KeyType, Buffer, string]>([
    ['an unknown inner type', 'ssh-ed25519', fields('\u001b[2J', Buffer.alloc(32)), 'of another type'],
    ['31 bytes of ed25519', 'ssh-ed25519', fields('ssh-ed25519', Buffer.alloc(31)), '31 bytes instead of 32'],
    ['33 bytes of ed25519', 'ssh-ed25519', fields('ssh-ed25519', Buffer.alloc(33)), '33 bytes instead of 32'],
    ['a length beyond the end', 'ssh-ed25519', Buffer.from('ffffffff', 'hex'), 'truncated'],
    ["another curve's name", 'ecdsa-sha2-nistp256', fields('ecdsa-sha2-nistp256', 'nistp384', point), 'curve'],
    ["another curve's point", 'ecdsa-sha2-nistp256', p256(ecPoint('P-384')), 'malformed'],
    ['a point off the curve', 'ecdsa-sha2-nistp256', p256(offCurve), 'not on the curve'],
    ['the point at infinity', 'ecdsa-sha2-nistp256', p256(zero), 'malformed'],
    ['a compressed point', 'ecdsa-sha2-nistp256', p256(Buffer.from([2]), point.subarray(1, 33)), 'malformed'],
    ['a hybrid point', 'ecdsa-sha2-nistp256', p256(Buffer.from([6]), point.subarray(1)), 'malformed'],
    ['a FIDO key with a point off the curve', 'sk-ecdsa-sha2-nistp256@openssh.com', skOffCurve, 'not on the curve'],
    ['an application string with NUL', 'sk-ssh-ed25519@openssh.com', skEd25519Blob('ssh:\0x'), 'NUL'],
    [
      'a FIDO key without an application string',
      'sk-ssh-ed25519@openssh.com',
      fields('sk-ssh-ed25519@openssh.com', Buffer.alloc(32)),
      'truncated',
    ],
    ['a negative modulus', 'ssh-rsa', rsaBlob(exponent, modulus), 'modulus is negative'],
    ['a padded modulus', 'ssh-rsa', rsaBlob(exponent, Buffer.concat([zero, zero, modulus])), 'shortest encoding'],
    ['a padded exponent', 'ssh-rsa', rsaBlob(Buffer.concat([zero, exponent]), n), 'shortest encoding'],
    ['an empty modulus', 'ssh-rsa', rsaBlob(exponent, Buffer.alloc(0)), 'modulus is zero'],
    ['a zero encoded as a byte', 'ssh-rsa', rsaBlob(exponent, zero), 'shortest encoding'],
    ['an even modulus', 'ssh-rsa', rsaBlob(exponent, Buffer.concat([zero, even])), 'even'],
    ['the exponent 1', 'ssh-rsa', rsaBlob(Buffer.from([1]), n), 'exponent'],
    ['an even exponent', 'ssh-rsa', rsaBlob(Buffer.from([4]), n), 'exponent'],
    ['an exponent that sshd cannot use', 'ssh-rsa', rsaBlob(Buffer.alloc(9, 1), n), 'exponent'],
    ['modulus and exponent in the wrong order', 'ssh-rsa', rsaBlob(n, exponent), 'at least 3072'],
    ['a modulus that sshd cannot use', 'ssh-rsa', rsaBlob(exponent, oversized), 'at most 16384'],
    ['an empty blob', 'ssh-rsa', Buffer.alloc(0), 'truncated'],
  ])('refuses %s', (_, type, blob, why) => {
    expect(faultOf(type, blob)).toContain(why);
  });

  it('accepts the exponents 3 and 65537', () => {
    expect(decodeKeyBlob('ssh-rsa', rsaBlob(Buffer.from([3]), n)).bits).toBe(3072);
    expect(decodeKeyBlob('ssh-rsa', rsaBlob(Buffer.from([1, 0, 1]), n)).bits).toBe(3072);
  });

  it('refuses a changed blob, or returns a key with exactly this encoding', () => {
    fc.assert(
      fc.property(mutated, ([type, blob]) => {
        try {
          expect(decodeKeyBlob(type, blob).blob).toEqual(blob);
        } catch (error) {
          expect(error).toBeInstanceOf(BlobFault);
        }
      }),
      { numRuns: 200 },
    );
  });
});

/** Returns the keys in the text, or an empty array if it is refused with one of the expected codes. */
function keysOf(text: string): PublicKey[] {
  try {
    return parsePublicKeys(text);
  } catch (error) {
    if (isFailure(error, 'invalid-key', 'private-key', 'usage', 'missing-key')) return [];
    throw error;
  }
}

describe('parsePublicKeys', () => {
  it('refuses a line with a changed key, or returns exactly the key that was sent', () => {
    fc.assert(
      fc.property(mutated, ([type, blob]) => {
        for (const key of keysOf(lineOf(type, blob))) expect(key.line).toBe(lineOf(type, blob));
      }),
      { numRuns: 200 },
    );
  });

  it('turns a valid key with any comment into a line that parses to the same key', () => {
    const word = fc.constantFrom(
      'ssh-rsa',
      'AAAAB3',
      'BEGIN',
      'PRIVATE',
      'KEY',
      ' ',
      '\t',
      '\u200b',
      '\u2028',
      '\ufeff',
      '\u0085',
      '-----',
      'ssh-',
      'rsa',
      '#',
      'PGP',
      '😀',
    );
    const words = fc.array(word, { maxLength: 12 }).map((list) => list.join(''));
    const comment = fc.oneof(fc.string({ unit: anyCharacter, maxLength: 300 }), words);
    let taken = 0;
    fc.assert(
      fc.property(fc.constantFrom(...keyTypes), comment, (type, text) => {
        for (const key of keysOf(lineOf(type, good[type], text.replace(/[\r\n\0]/g, '')))) {
          taken += 1;
          expect(key.blob).toEqual(good[type]);
          expect([...key.comment].length).toBeLessThanOrEqual(128);
          expect(parsePublicKey(key.line)).toEqual(key);
        }
      }),
      { numRuns: 200 },
    );
    expect(taken).toBeGreaterThan(100);
  });

  it('returns keys or throws one of its documented failures for any text', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: anyCharacter, maxLength: 300 }), fc.base64String({ maxLength: 200 })),
        (text) => {
          for (const key of keysOf(text)) expect(parsePublicKey(key.line)).toEqual(key);
        },
      ),
    );
  });
});
