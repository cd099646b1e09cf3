/** Certificates against ssh-keygen(1): what is read of one, and that nothing but what an authority signed is believed. */
import { join } from 'node:path';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeCertificate, type Certificate } from '../../../src/domain/certificate.ts';
import { emptyDirectory, type Authority } from '../../../src/domain/directory.ts';
import { KeyIndex, type Evidence } from '../../../src/identity/keyIndex.ts';
import { certify, describeCertificate, type CertificateWishes, type TestCertificate } from '../../support/certificates.ts';
import { makeKey, type TestKey } from '../../support/keys.ts';
import { makeSecurityKey } from '../../support/rawClient.ts';

let folder: string;
let authority: TestKey;
let bearer: TestKey;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'containarium-certificates-'));
  authority = await makeKey(folder, 'authority');
  bearer = await makeKey(folder, 'bearer');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function authorityOf(key: TestKey, change: Partial<Authority> = {}): Authority {
  return { name: 'office', doors: ['manage', 'self'], type: key.type, blob: key.blob.toString('base64'), revoked: { serials: [], keyIds: [], fingerprints: [] }, ...change };
}

function indexOf(...authorities: readonly Authority[]): KeyIndex {
  const index = new KeyIndex();
  index.replace({ ...emptyDirectory, authorities, admins: [{ name: 'carol', role: 'operator' }], users: ['alice'] });
  return index;
}

function evidence(certificate: Pick<TestCertificate, 'type' | 'blob'>, change: Partial<Evidence> = {}): Evidence {
  const algorithm = certificate.type === 'ssh-rsa-cert-v01@openssh.com' ? 'rsa-sha2-512-cert-v01@openssh.com' : certificate.type;
  return { username: 'manage', algorithm, blob: certificate.blob.toString('base64'), address: '192.0.2.7', verified: undefined, ...change };
}

/** The fields as `ssh-keygen -L` writes them. */
function likeKeygen({ serial, keyId, principals, key, criticalOptions, validAfter, validBefore }: Certificate): string[] {
  const local = (seconds: bigint): string => {
    const date = new Date(Number(seconds) * 1000);
    const two = (value: number): string => String(value).padStart(2, '0');
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  };
  return [`Serial: ${serial}`, `Key ID: "${keyId}"`, key.fingerprint, ...principals, ...criticalOptions.keys(), `Valid: from ${local(validAfter)} to ${local(validBefore)}`];
}

describe('what is read', () => {
  it.each([
    ['ed25519', undefined],
    ['ecdsa', 256],
    ['ecdsa', 384],
    ['ecdsa', 521],
    ['rsa', 3072],
  ])('of a certificate for an %s %s key is what ssh-keygen -L shows', async (type, bits) => {
    const key = await makeKey(folder, `read-${type}-${bits}`, { type, ...(bits === undefined ? {} : { bits }) });
    const wishes: CertificateWishes = { principals: ['carol', 'alice'], keyId: 'carol laptop', serial: 2 ** 40, options: ['source-address=10.0.0.0/8'] };
    const made = await certify(folder, authority, key.line, wishes);
    const read = decodeCertificate(made.blob);
    const shown = await describeCertificate(made.path);
    for (const field of likeKeygen(read)) expect(shown).toContain(field);
    expect(read).toMatchObject({ kind: 'user', principals: ['carol', 'alice'], keyId: 'carol laptop', serial: String(2 ** 40), key: { fingerprint: key.fingerprint } });
    expect(read.key.blob).toEqual(key.blob);
    expect(read.signatureKey).toEqual(authority.blob);
  });

  it.each(['ed25519', 'ecdsa'] as const)('of a certificate for a FIDO key (%s), too', async (kind) => {
    const key = makeSecurityKey(kind, 'token');
    const made = await certify(folder, authority, key.line, { principals: ['carol'], options: ['verify-required'] });
    const read = decodeCertificate(made.blob);
    expect(read.key).toMatchObject({ type: key.type, blob: key.blob });
    const shown = await describeCertificate(made.path);
    for (const field of likeKeygen(read)) expect(shown).toContain(field);
  });

  it('is refused at every length that is not the whole one', async () => {
    const { blob } = await certify(folder, authority, bearer.line, { principals: ['carol'], options: ['source-address=10.0.0.0/8'] });
    for (let length = 0; length < blob.length; length++) expect(() => decodeCertificate(blob.subarray(0, length))).toThrow();
    expect(() => decodeCertificate(Buffer.concat([blob, Buffer.from([0])]))).toThrow();
    expect(() => decodeCertificate(Buffer.alloc(13_000))).toThrow();
  });
});

describe('who is believed', () => {
  it.each([
    ['ed25519', undefined, undefined],
    ['ecdsa', 256, undefined],
    ['ecdsa', 384, undefined],
    ['ecdsa', 521, undefined],
    ['rsa', 3072, 'rsa-sha2-256'],
    ['rsa', 3072, 'rsa-sha2-512'],
  ])('is an authority with an %s %s key (%s)', async (type, bits, algorithm) => {
    const signer = await makeKey(folder, `signer-${type}-${bits}-${algorithm}`, { type, ...(bits === undefined ? {} : { bits }) });
    const made = await certify(folder, signer, bearer.line, { principals: ['carol'], ...(algorithm === undefined ? {} : { algorithm }) });
    expect(indexOf(authorityOf(signer)).admit(evidence(made), Date.now())).toMatchObject({ admitted: 'actor', actor: { name: 'carol', role: 'operator', fingerprint: bearer.fingerprint } });
    expect(indexOf(authorityOf(authority)).admit(evidence(made), Date.now())).toMatchObject({ admitted: 'no' });
  });

  it('is nobody whose certificate was changed in any byte', async () => {
    const made = await certify(folder, authority, bearer.line, { principals: ['carol'], options: ['source-address=192.0.2.0/24'] });
    const index = indexOf(authorityOf(authority));
    expect(index.admit(evidence(made), Date.now())).toMatchObject({ admitted: 'actor' });
    for (let at = 0; at < made.blob.length; at++) {
      const blob = Buffer.from(made.blob);
      blob[at] = (blob[at] ?? 0) ^ (1 << at % 8);
      expect([at, index.admit(evidence({ type: made.type, blob }), Date.now()).admitted]).toEqual([at, 'no']);
    }
  });

  it('is checked at the time and from the address of each question', async () => {
    const made = await certify(folder, authority, bearer.line, { principals: ['carol'], options: ['source-address=192.0.2.0/24,2001:db8::/32'] });
    const { validAfter, validBefore } = decodeCertificate(made.blob);
    const index = indexOf(authorityOf(authority));
    const at = (seconds: bigint, address = '192.0.2.7'): string => {
      const verdict = index.admit(evidence(made, { address }), Number(seconds) * 1000);
      return verdict.admitted === 'no' ? verdict.why : verdict.admitted;
    };
    expect([at(validAfter - 1n), at(validAfter), at(validBefore - 1n), at(validBefore)]).toEqual(['your certificate is not valid yet', 'actor', 'actor', 'your certificate has expired']);
    const elsewhere = 'your certificate may not be used from this address';
    expect(['::ffff:192.0.2.9', '2001:db8::1', '192.0.3.1', '2001:db9::1', 'nonsense'].map((address) => at(validAfter, address))).toEqual(['actor', 'actor', elsewhere, elsewhere, elsewhere]);
  });

  it.each([
    ['serials', { serials: ['17'], keyIds: [], fingerprints: [] }],
    ['key ids', { serials: [], keyIds: ['lost'], fingerprints: [] }],
    ['keys', { serials: [], keyIds: [], fingerprints: ['BEARER'] }],
  ])('is not who was revoked, by %s, by the authority that signed', async (_, revoked) => {
    const made = await certify(folder, authority, bearer.line, { principals: ['carol'], serial: 17, keyId: 'lost' });
    const list = { ...revoked, fingerprints: revoked.fingerprints.map(() => bearer.fingerprint) };
    expect(indexOf(authorityOf(authority, { revoked: list })).admit(evidence(made), Date.now())).toEqual({ admitted: 'no', why: 'your certificate has been revoked' });
    const other = await makeKey(folder, `other-${Math.random()}`);
    expect(indexOf(authorityOf(authority), authorityOf(other, { name: 'other', revoked: list })).admit(evidence(made), Date.now())).toMatchObject({ admitted: 'actor' });
  });

  it('is never a key that is known only by a certificate, nor a certificate under the name of another algorithm', async () => {
    const made = await certify(folder, authority, bearer.line, { principals: ['carol'] });
    const index = indexOf(authorityOf(authority));
    for (const algorithm of ['ssh-ed25519', 'ssh-rsa-cert-v01@openssh.com', 'rsa-sha2-512-cert-v01@openssh.com', 'sk-ssh-ed25519-cert-v01@openssh.com', '']) {
      expect([algorithm, index.admit(evidence(made, { algorithm }), Date.now()).admitted]).toEqual([algorithm, 'no']);
    }
  });
});
