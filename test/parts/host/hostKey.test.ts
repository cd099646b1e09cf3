import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  decodeHostKey,
  encodeHostKey,
  fingerprintOf,
  makeHostKey,
  type HostKeyPair,
} from '../../../src/host/hostKey.ts';

let folder: string;
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'containarium-'))));
afterAll(() => rm(folder, { recursive: true }));

/** Returns a key pair whose `which` part begins with a zero byte, as one in 256 does. */
function pairWithZero(which: 'd' | 'x'): HostKeyPair {
  for (;;) {
    const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
    const [seed, point] = [Buffer.from(jwk.d ?? '', 'base64url'), Buffer.from(jwk.x ?? '', 'base64url')];
    if ((which === 'd' ? seed : point)[0] === 0) return encodeHostKey(seed, point, 'zero');
  }
}

test.each([
  ['a key pair', () => makeHostKey('some comment')],
  ['a key pair without a comment', () => makeHostKey('')],
  ['a key pair whose public point begins with a zero byte', () => pairWithZero('x')],
  ['a key pair whose seed begins with a zero byte', () => pairWithZero('d')],
])('%s is read by ssh-keygen and ssh2 as the same key', async (name, make) => {
  const pair = make();
  const path = join(folder, name.replaceAll(' ', '-'));
  await writeFile(path, pair.privateKey, { mode: 0o600 });
  const { stdout } = await execa('ssh-keygen', ['-y', '-f', path]);
  expect(stdout.split(' ').slice(0, 2).join(' ')).toBe(pair.publicKey);
  const listed = await execa('ssh-keygen', ['-l', '-f', path]);
  expect(listed.stdout.split(' ')[1]).toBe(pair.fingerprint);

  const parsed = ssh2.utils.parseKey(pair.privateKey);
  if (parsed instanceof Error) throw parsed;
  const [key] = [parsed].flat();
  expect(key?.getPublicSSH().toString('base64')).toBe(pair.publicKey.split(' ')[1]);
  const data = Buffer.from('signed');
  const signature = key?.sign(data);
  if (!(signature instanceof Buffer)) throw new Error('not signed');
  expect(key?.verify(data, signature)).toBe(true);
});

test('two key pairs differ', () => {
  expect(makeHostKey('a').fingerprint).not.toBe(makeHostKey('a').fingerprint);
});

test('a fingerprint does not depend on the comment', () => {
  const { publicKey, fingerprint } = makeHostKey('a');
  expect(fingerprintOf(`${publicKey} other comment`)).toBe(fingerprint);
});

test('a key file whose seed and public point belong to different keys is refused', () => {
  const [one, other] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')].map(({ privateKey }) =>
    privateKey.export({ format: 'jwk' }),
  );
  const pair = (seed = one, point = one): HostKeyPair =>
    encodeHostKey(Buffer.from(seed?.d ?? '', 'base64url'), Buffer.from(point?.x ?? '', 'base64url'), 'mixed');
  expect(decodeHostKey(pair().privateKey).publicKey).toBe(pair().publicKey);
  expect(() => decodeHostKey(pair(other).privateKey)).toThrow('its private part does not belong to its public part');
});
