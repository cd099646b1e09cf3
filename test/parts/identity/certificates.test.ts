/**
 * Certificates made by ssh-keygen(1): that they are decoded correctly, and trusted only if one of the CAs signed them.
 */
import { join } from 'node:path';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeCertificate, type Certificate } from '../../../src/domain/keys/certificate.ts';
import { emptyDirectory, type Ca } from '../../../src/domain/access/directory.ts';
import { wireString } from '../../../src/domain/keys/wire.ts';
import { Certificates } from '../../../src/identity/certificates.ts';
import { KeyIndex, type Evidence } from '../../../src/identity/keyIndex.ts';
import {
  certify,
  describeCertificate,
  type CertificateOptions,
  type TestCertificate,
} from '../../support/certificates.ts';
import { makeKey, type TestKey } from '../../support/keys.ts';
import { makeSecurityKey } from '../../support/rawClient.ts';

let folder: string;
let ca: TestKey;
let bearer: TestKey;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'containarium-certificates-'));
  ca = await makeKey(folder, 'ca');
  bearer = await makeKey(folder, 'bearer');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function authorityOf(key: TestKey, change: Partial<Ca> = {}): Ca {
  return {
    name: 'office',
    entryPoints: ['manage', 'self'],
    type: key.type,
    blob: key.blob.toString('base64'),
    revoked: { serials: [], keyIds: [], fingerprints: [] },
    ...change,
  };
}

function indexOf(...cas: readonly Ca[]): KeyIndex {
  const index = new KeyIndex();
  index.replace({ ...emptyDirectory, cas, admins: [{ name: 'carol', role: 'operator' }], users: ['alice'] });
  return index;
}

function evidence(certificate: Pick<TestCertificate, 'type' | 'blob'>, change: Partial<Evidence> = {}): Evidence {
  const algorithm =
    certificate.type === 'ssh-rsa-cert-v01@openssh.com' ? 'rsa-sha2-512-cert-v01@openssh.com' : certificate.type;
  return {
    username: 'manage',
    algorithm,
    blob: certificate.blob.toString('base64'),
    address: '192.0.2.7',
    verified: undefined,
    ...change,
  };
}

/** The fields as `ssh-keygen -L` writes them. */
function likeKeygen({
  serial,
  keyId,
  principals,
  key,
  criticalOptions,
  validAfter,
  validBefore,
}: Certificate): string[] {
  const local = (seconds: bigint): string => {
    const date = new Date(Number(seconds) * 1000);
    const two = (value: number): string => String(value).padStart(2, '0');
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  };
  return [
    `Serial: ${serial}`,
    `Key ID: "${keyId}"`,
    key.fingerprint,
    ...principals,
    ...criticalOptions.keys(),
    `Valid: from ${local(validAfter)} to ${local(validBefore)}`,
  ];
}

describe('decoding', () => {
  it.each([
    ['ed25519', undefined],
    ['ecdsa', 256],
    ['ecdsa', 384],
    ['ecdsa', 521],
    ['rsa', 3072],
  ])('a certificate for an %s %s key gives what ssh-keygen -L shows', async (type, bits) => {
    const key = await makeKey(folder, `read-${type}-${bits}`, { type, ...(bits === undefined ? {} : { bits }) });
    const wishes: CertificateOptions = {
      principals: ['carol', 'alice'],
      keyId: 'carol laptop',
      serial: 2 ** 40,
      options: ['source-address=10.0.0.0/8'],
    };
    const made = await certify(folder, ca, key.line, wishes);
    const read = decodeCertificate(made.blob);
    const shown = await describeCertificate(made.path);
    for (const field of likeKeygen(read)) expect(shown).toContain(field);
    expect(read).toMatchObject({
      kind: 'user',
      principals: ['carol', 'alice'],
      keyId: 'carol laptop',
      serial: String(2 ** 40),
      key: { fingerprint: key.fingerprint },
    });
    expect(read.key.blob).toEqual(key.blob);
    expect(read.signatureKey).toEqual(ca.blob);
  });

  it.each(['ed25519', 'ecdsa'] as const)(
    'a certificate for a FIDO key (%s) gives what ssh-keygen -L shows',
    async (kind) => {
      const key = makeSecurityKey(kind, 'token');
      const made = await certify(folder, ca, key.line, { principals: ['carol'], options: ['verify-required'] });
      const read = decodeCertificate(made.blob);
      expect(read.key).toMatchObject({ type: key.type, blob: key.blob });
      const shown = await describeCertificate(made.path);
      for (const field of likeKeygen(read)) expect(shown).toContain(field);
    },
  );

  it('refuses a certificate that is truncated at any byte, or has trailing bytes', async () => {
    const { blob } = await certify(folder, ca, bearer.line, {
      principals: ['carol'],
      options: ['source-address=10.0.0.0/8'],
    });
    for (let length = 0; length < blob.length; length++)
      expect(() => decodeCertificate(blob.subarray(0, length))).toThrow();
    expect(() => decodeCertificate(Buffer.concat([blob, Buffer.from([0])]))).toThrow();
    expect(() => decodeCertificate(Buffer.alloc(13_000))).toThrow('too long');
  });
});

interface Fields {
  readonly key: readonly Buffer[];
  readonly kind: number;
  readonly keyId: Buffer;
  readonly principals: readonly Buffer[];
  readonly options: readonly (readonly [name: Buffer, data: Buffer])[];
}

/** A certificate (PROTOCOL.certkeys) with fields that ssh-keygen would not write. It is not signed. */
function written(change: Partial<Fields>): Buffer {
  const { key, kind, keyId, principals, options }: Fields = {
    key: [bearer.blob.subarray(-32)],
    kind: 1,
    keyId: Buffer.from('id'),
    principals: [Buffer.from('carol')],
    options: [],
    ...change,
  };
  const all = (parts: readonly Buffer[]): Buffer => wireString(Buffer.concat(parts.map((part) => wireString(part))));
  return Buffer.concat([
    wireString('ssh-ed25519-cert-v01@openssh.com'),
    wireString(Buffer.alloc(32)),
    ...key.map((part) => wireString(part)),
    Buffer.alloc(8),
    Buffer.from([0, 0, 0, kind]),
    wireString(keyId),
    all(principals),
    Buffer.alloc(8),
    Buffer.alloc(8, 0xff),
    all(options.flat()),
    wireString(''),
    wireString(''),
    wireString(ca.blob),
    wireString(''),
  ]);
}

describe('a certificate', () => {
  const text = (value: string): Buffer => Buffer.from(value);

  it('with valid fields is decoded', () => {
    expect(decodeCertificate(written({}))).toMatchObject({ kind: 'user', keyId: 'id', principals: ['carol'] });
    expect(decodeCertificate(written({ kind: 2 })).kind).toBe('host');
    expect(
      decodeCertificate(written({ principals: Array.from({ length: 256 }, (_, i) => text(`${i}`)) })).principals,
    ).toHaveLength(256);
  });

  it.each<[what: string, change: Partial<Fields>, why: string]>([
    ['for neither a user nor a host', { kind: 0 }, 'neither a user nor a host certificate'],
    ['of an unknown kind', { kind: 3 }, 'neither a user nor a host certificate'],
    ['with a principal that is not UTF-8', { principals: [Buffer.from([0x63, 0xff])] }, 'text is not valid UTF-8'],
    ['with a key id that is not UTF-8', { keyId: Buffer.from([0xc0, 0x80]) }, 'text is not valid UTF-8'],
    ['with a NUL in a principal', { principals: [text('carol\0dave')] }, 'text contains a NUL character'],
    [
      'with an option twice',
      {
        options: [
          [text('source-address'), text('x')],
          [text('source-address'), text('y')],
        ],
      },
      'duplicate option',
    ],
    [
      'with too many principals',
      { principals: Array.from({ length: 257 }, (_, i) => text(`${i}`)) },
      'too many principals or options',
    ],
    [
      'with too many options',
      { options: Array.from({ length: 65 }, (_, i) => [text(`${i}`), text('')] as const) },
      'too many principals or options',
    ],
    ['with a key of the wrong length', { key: [Buffer.alloc(31)] }, 'the key has 31 bytes instead of 32'],
  ])('%s is refused', (_, change, why) => {
    expect(() => decodeCertificate(written(change))).toThrow(why);
  });
});

describe('a signed certificate', () => {
  it.each([
    ['ed25519', undefined, undefined],
    ['ecdsa', 256, undefined],
    ['ecdsa', 384, undefined],
    ['ecdsa', 521, undefined],
    ['rsa', 3072, 'rsa-sha2-256'],
    ['rsa', 3072, 'rsa-sha2-512'],
  ])('of a CA with an %s %s key (%s) is accepted', async (type, bits, algorithm) => {
    const signer = await makeKey(folder, `signer-${type}-${bits}-${algorithm}`, {
      type,
      ...(bits === undefined ? {} : { bits }),
    });
    const made = await certify(folder, signer, bearer.line, {
      principals: ['carol'],
      ...(algorithm === undefined ? {} : { algorithm }),
    });
    expect(indexOf(authorityOf(signer)).admit(evidence(made), Date.now())).toMatchObject({
      admitted: 'actor',
      actor: { name: 'carol', role: 'operator', fingerprint: bearer.fingerprint },
    });
    expect(indexOf(authorityOf(ca)).admit(evidence(made), Date.now())).toMatchObject({ admitted: 'no' });
  });

  it('is rejected after a change of any byte', async () => {
    const made = await certify(folder, ca, bearer.line, {
      principals: ['carol'],
      options: ['source-address=192.0.2.0/24'],
    });
    const index = indexOf(authorityOf(ca));
    expect(index.admit(evidence(made), Date.now())).toMatchObject({ admitted: 'actor' });
    for (let at = 0; at < made.blob.length; at++) {
      const blob = Buffer.from(made.blob);
      blob[at] = (blob[at] ?? 0) ^ (1 << (at % 8));
      expect([at, index.admit(evidence({ type: made.type, blob }), Date.now()).admitted]).toEqual([at, 'no']);
    }
  });

  it('for several users gives the login the name of the one whom the directory has first', async () => {
    const made = await certify(folder, ca, bearer.line, { principals: ['zoe', 'bob', 'nobody', 'alice'] });
    const index = new KeyIndex();
    const named = (...users: string[]): unknown => {
      index.replace({ ...emptyDirectory, cas: [authorityOf(ca)], users });
      return index.admit(evidence(made, { username: 'self' }), Date.now());
    };
    expect(named('alice', 'carol', 'zoe')).toMatchObject({ actor: { name: 'alice', owns: ['alice', 'zoe'] } });
    expect(named('alice', 'zoe', 'bob')).toMatchObject({ actor: { name: 'alice', owns: ['alice', 'zoe', 'bob'] } });
  });

  it('is checked against the current time and address at every admission', async () => {
    const made = await certify(folder, ca, bearer.line, {
      principals: ['carol'],
      options: ['source-address=192.0.2.0/24,2001:db8::/32'],
    });
    const { validAfter, validBefore } = decodeCertificate(made.blob);
    const index = indexOf(authorityOf(ca));
    const at = (seconds: bigint, address = '192.0.2.7'): string => {
      const verdict = index.admit(evidence(made, { address }), Number(seconds) * 1000);
      return verdict.admitted === 'no' ? verdict.why : verdict.admitted;
    };
    expect([at(validAfter - 1n), at(validAfter), at(validBefore - 1n), at(validBefore)]).toEqual([
      'your certificate is not valid yet',
      'actor',
      'actor',
      'your certificate has expired',
    ]);
    const elsewhere = 'your certificate may not be used from this address';
    expect(
      ['::ffff:192.0.2.9', '2001:db8::1', '192.0.3.1', '2001:db9::1', 'nonsense'].map((address) =>
        at(validAfter, address),
      ),
    ).toEqual(['actor', 'actor', elsewhere, elsewhere, elsewhere]);
  });

  it.each([
    ['serials', { serials: ['17'], keyIds: [], fingerprints: [] }],
    ['key ids', { serials: [], keyIds: ['lost'], fingerprints: [] }],
    ['keys', { serials: [], keyIds: [], fingerprints: ['BEARER'] }],
  ])('is rejected if its CA has revoked it by %s', async (_, revoked) => {
    const made = await certify(folder, ca, bearer.line, { principals: ['carol'], serial: 17, keyId: 'lost' });
    const list = { ...revoked, fingerprints: revoked.fingerprints.map(() => bearer.fingerprint) };
    expect(indexOf(authorityOf(ca, { revoked: list })).admit(evidence(made), Date.now())).toEqual({
      admitted: 'no',
      why: 'your certificate has been revoked',
    });
    const other = await makeKey(folder, `other-${Math.random()}`);
    expect(
      indexOf(authorityOf(ca), authorityOf(other, { name: 'other', revoked: list })).admit(evidence(made), Date.now()),
    ).toMatchObject({ admitted: 'actor' });
  });

  it('is accepted neither as a plain key nor with the algorithm of another certificate type', async () => {
    const made = await certify(folder, ca, bearer.line, { principals: ['carol'] });
    const index = indexOf(authorityOf(ca));
    for (const algorithm of [
      'ssh-ed25519',
      'ssh-rsa-cert-v01@openssh.com',
      'rsa-sha2-512-cert-v01@openssh.com',
      'sk-ssh-ed25519-cert-v01@openssh.com',
      '',
    ]) {
      expect([algorithm, index.admit(evidence(made, { algorithm }), Date.now()).admitted]).toEqual([algorithm, 'no']);
    }
  });

  it.each<[what: string, wishes: CertificateOptions, why: string]>([
    ['for a host', { principals: ['carol'], host: true }, 'it is not a user certificate'],
    [
      'with an unknown critical option',
      { principals: ['carol'], options: ['critical:more@example.com=x'] },
      'your certificate has a critical option that this server does not support',
    ],
    [
      'with force-command',
      { principals: ['carol'], options: ['force-command=list'] },
      'your certificate has a critical option that this server does not support',
    ],
    [
      'with verify-required, for a key that is not a FIDO key',
      { principals: ['carol'], options: ['critical:verify-required'] },
      'the verify-required option of your certificate is invalid',
    ],
    // OpenSSH defines no negation here.
    [
      'with a negated address',
      { principals: ['carol'], options: ['critical:source-address=192.0.2.0/24,!192.0.2.1'] },
      'your certificate may not be used from this address',
    ],
    ['without principals', { principals: [] }, 'your certificate names no admin'],
    [
      'for login names, which are not people',
      { principals: ['manage', 'self', 'root'] },
      'your certificate names no admin',
    ],
    ['for a user', { principals: ['alice'] }, 'your certificate names no admin'],
  ])('%s is rejected at manage@', async (_, wishes, why) => {
    const made = await certify(folder, ca, bearer.line, wishes);
    expect(indexOf(authorityOf(ca)).admit(evidence(made), Date.now())).toEqual({ admitted: 'no', why });
  });

  it('admits at self@ only a principal that is a user with a container', async () => {
    const made = await certify(folder, ca, bearer.line, { principals: ['carol', 'bob', 'alice', 'alice'] });
    expect(indexOf(authorityOf(ca)).admit(evidence(made, { username: 'self' }), Date.now())).toMatchObject({
      actor: { name: 'alice', role: 'owner', owns: ['alice'] },
    });
    const other = await certify(folder, ca, bearer.line, { principals: ['carol', 'bob'] });
    expect(indexOf(authorityOf(ca)).admit(evidence(other, { username: 'self' }), Date.now())).toEqual({
      admitted: 'no',
      why: 'your certificate names no user with a container',
    });
  });

  it('is accepted only at the entry points of its CA, and only until the CA is removed', async () => {
    const made = await certify(folder, ca, bearer.line, { principals: ['carol', 'alice'] });
    const index = indexOf(authorityOf(ca, { entryPoints: ['self'] }));
    expect(index.admit(evidence(made), Date.now())).toEqual({
      admitted: 'no',
      why: 'certificates of this CA are not accepted for manage@',
    });
    expect(index.admit(evidence(made, { username: 'self' }), Date.now())).toMatchObject({ admitted: 'actor' });
    index.replace({ ...emptyDirectory, users: ['alice'] });
    expect(index.admit(evidence(made, { username: 'self' }), Date.now())).toMatchObject({ admitted: 'no' });
  });

  it('with verify-required for a FIDO key requires that the key verifies its user', async () => {
    const key = makeSecurityKey('ed25519', 'verified');
    const made = await certify(folder, ca, key.line, { principals: ['carol'], options: ['verify-required'] });
    const index = indexOf(authorityOf(ca));
    const admitted = (verified: Evidence['verified']): string =>
      index.admit(evidence(made, { verified }), Date.now()).admitted;
    expect(
      [undefined, { touched: true, personVerified: false }, { touched: true, personVerified: true }].map(admitted),
    ).toEqual(['actor', 'no', 'actor']);
  });

  it('is recorded with a printable key id of at most 128 characters', async () => {
    const made = await certify(folder, ca, bearer.line, {
      principals: ['carol'],
      keyId: `\u202e${'x'.repeat(500)}`,
    });
    expect(indexOf(authorityOf(ca)).admit(evidence(made), Date.now())).toMatchObject({
      actor: { certificate: { keyId: `\\u{202e}${'x'.repeat(127)}` } },
    });
  });

  it('is remembered up to a limit, and the oldest is forgotten first', async () => {
    const certificates = new Certificates(2);
    certificates.replace([authorityOf(ca)]);
    const blobs = await Promise.all(
      ['one', 'two', 'three'].map(async (keyId) =>
        (await certify(folder, ca, bearer.line, { principals: ['carol'], keyId })).blob.toString('base64'),
      ),
    );
    for (const blob of [...blobs, ...blobs]) expect(certificates.read(blob)?.ca.name).toBe('office');
    expect(certificates.remembered).toBe(2);
    // A certificate that no CA here has signed is not remembered.
    certificates.replace([]);
    for (const blob of blobs) expect(certificates.read(blob)).toBeUndefined();
    expect(certificates.remembered).toBe(0);
  });
});
