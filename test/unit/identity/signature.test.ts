/**
 * The form of signatures. Keys and certificates of every kind are in test/parts/identity and test/ssh/access.test.ts.
 */
import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { provesPossession } from '../../../src/identity/proof.ts';
import { verifySignature, type SigningKey } from '../../../src/identity/signature.ts';
import { proofBy, wire } from '../../support/proofs.ts';
import { makeSecurityKey } from '../../support/rawClient.ts';

const data = Buffer.from('what is signed');

describe('a signature', () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const key: SigningKey = {
    type: 'ssh-ed25519',
    blob: wire('ssh-ed25519', Buffer.from(privateKey.export({ format: 'jwk' }).x ?? '', 'base64url')),
  };
  const inner = sign(null, data, privateKey);

  it('is valid only with the name of its algorithm and without trailing bytes', () => {
    expect(verifySignature(key, data, wire('ssh-ed25519', inner))).toEqual({ touched: false, personVerified: false });
    for (const invalid of [
      wire('ssh-ed448', inner),
      wire('', inner),
      Buffer.concat([wire('ssh-ed25519', inner), Buffer.alloc(1)]),
      wire('ssh-ed25519', inner.subarray(1)),
      wire('ssh-ed25519'),
    ])
      expect(verifySignature(key, data, invalid)).toBeUndefined();
    expect(verifySignature(key, Buffer.from('something else'), wire('ssh-ed25519', inner))).toBeUndefined();
  });

  it('of an RSA key is valid only with SHA-2, and with the algorithm that was asked for', () => {
    const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const { e = '', n = '' } = pair.privateKey.export({ format: 'jwk' });
    const rsa: SigningKey = {
      type: 'ssh-rsa',
      blob: wire('ssh-rsa', Buffer.from(e, 'base64url'), Buffer.concat([Buffer.alloc(1), Buffer.from(n, 'base64url')])),
    };
    const by = (name: string, hash: string, wanted?: string): boolean =>
      verifySignature(rsa, data, wire(name, sign(hash, data, pair.privateKey)), wanted) !== undefined;
    expect([
      by('rsa-sha2-256', 'sha256'),
      by('rsa-sha2-512', 'sha512'),
      by('rsa-sha2-512', 'sha512', 'rsa-sha2-512'),
    ]).toEqual([true, true, true]);
    expect([
      by('ssh-rsa', 'sha1'),
      by('rsa-sha2-256', 'sha1'),
      by('rsa-sha2-256', 'sha512'),
      by('ssh-rsa', 'sha256'),
      by('rsa-sha2-256', 'sha256', 'rsa-sha2-512'),
    ]).toEqual([false, false, false, false, false]);
  });

  it('of an ECDSA key has exactly two numbers, which fit the curve', () => {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { x = '', y = '' } = pair.privateKey.export({ format: 'jwk' });
    const ec: SigningKey = {
      type: 'ecdsa-sha2-nistp256',
      blob: wire(
        'ecdsa-sha2-nistp256',
        'nistp256',
        Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]),
      ),
    };
    const both = sign('sha256', data, { key: pair.privateKey, dsaEncoding: 'ieee-p1363' });
    const numbers = (...more: Buffer[]): Buffer =>
      wire(
        'ecdsa-sha2-nistp256',
        wire(
          Buffer.concat([Buffer.alloc(1), both.subarray(0, 32)]),
          Buffer.concat([Buffer.alloc(1), both.subarray(32)]),
          ...more,
        ),
      );
    expect(verifySignature(ec, data, numbers())).toBeDefined();
    expect(verifySignature(ec, data, numbers(Buffer.from('more')))).toBeUndefined();
    expect(
      verifySignature(
        ec,
        data,
        wire('ecdsa-sha2-nistp256', wire(Buffer.concat([Buffer.alloc(1), both.subarray(0, 32)]), Buffer.alloc(33, 1))),
      ),
    ).toBeUndefined();
  });
});

it('a proof is valid only if it is signed with the algorithm that the login names', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { e = '', n = '' } = privateKey.export({ format: 'jwk' });
  const blob = wire(
    'ssh-rsa',
    Buffer.from(e, 'base64url'),
    Buffer.concat([Buffer.alloc(1), Buffer.from(n, 'base64url')]),
  );
  const proves = (named: string, signedAs: string, hash: string): boolean =>
    provesPossession(
      proofBy((bytes) => wire(signedAs, sign(hash, bytes, privateKey)), { username: 'manage', algorithm: named, blob }),
      { type: 'ssh-rsa', blob },
    ) !== undefined;
  expect(proves('rsa-sha2-512', 'rsa-sha2-512', 'sha512')).toBe(true);
  expect(proves('rsa-sha2-512-cert-v01@openssh.com', 'rsa-sha2-512', 'sha512')).toBe(true);
  expect(proves('rsa-sha2-512', 'rsa-sha2-256', 'sha256')).toBe(false);
  expect(proves('ssh-rsa', 'rsa-sha2-256', 'sha256')).toBe(false);
});

describe.each(['ed25519', 'ecdsa'] as const)('a signature of a FIDO key (%s)', (kind) => {
  const other = makeSecurityKey(kind, 'other', 'ssh:work');
  const key: SigningKey = { type: other.type as SigningKey['type'], blob: other.blob };

  it('shows whether the key was touched and has verified its user', () => {
    const flags = [0, 1, 4, 5].map((flag) => verifySignature(key, data, other.signer(flag)(data)));
    expect(flags).toEqual([
      { touched: false, personVerified: false },
      { touched: true, personVerified: false },
      { touched: false, personVerified: true },
      { touched: true, personVerified: true },
    ]);
  });

  it('covers the signed data, the flags, the counter, and the application that is part of the key', () => {
    const good = other.signer(1)(data);
    expect(verifySignature(key, data, good)).toBeDefined();
    for (const back of [1, 5]) {
      const changed = Buffer.from(good);
      changed[good.length - back] = (changed[good.length - back] ?? 0) ^ 4;
      expect(verifySignature(key, data, changed)).toBeUndefined();
    }
    expect(verifySignature(key, data, Buffer.concat([good, Buffer.alloc(1)]))).toBeUndefined();
    expect(verifySignature(key, Buffer.from('something else'), good)).toBeUndefined();
    const at = other.blob.lastIndexOf('ssh:work');
    const elsewhere = Buffer.concat([other.blob.subarray(0, at - 4), wire('ssh:home')]);
    expect(verifySignature({ ...key, blob: elsewhere }, data, good)).toBeUndefined();
  });
});
