/** Admission by a stored key or an invitation. Certificates are in test/parts/identity. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Identity } from '../../../src/domain/access/actor.ts';
import { emptyDirectory } from '../../../src/domain/access/directory.ts';
import { newToken } from '../../../src/domain/access/invitation.ts';
import type { KeyLimits } from '../../../src/domain/keys/keyLimits.ts';
import { KeyIndex, type Evidence } from '../../../src/identity/keyIndex.ts';
import { makeIdentity, wire } from '../../support/proofs.ts';
import { makeSecurityKey } from '../../support/rawClient.ts';

const now = Date.parse('2026-11-24T12:00:00Z');

function evidence({ blob, type }: Identity, change: Partial<Evidence> = {}): Evidence {
  return { username: 'manage', algorithm: type, blob, address: '192.0.2.7', verified: undefined, ...change };
}

/** Returns whom the evidence admits, or why nobody. */
function verdict(index: KeyIndex, shown: Evidence, nowMs = now): string {
  const found = index.admit(shown, nowMs);
  return found.admitted === 'actor'
    ? `${found.actor.name} (${found.actor.role})`
    : found.admitted === 'no'
      ? found.why
      : 'invited';
}

const unknown = 'your key is no longer accepted here';

describe('a key', () => {
  const carol = makeIdentity({ admin: { name: 'carol', role: 'operator', limits: {} }, owns: [] }).identity;
  const alice = makeIdentity({ owns: ['alice', 'shared'] }).identity;
  const both = makeIdentity({ admin: { name: 'dave', role: 'admin', limits: {} }, owns: ['dave-test'] }).identity;
  const index = new KeyIndex();
  index.replace({ ...emptyDirectory, identities: [carol, alice, both] });

  it('admits its owner at its own entry points', () => {
    expect(verdict(index, evidence(carol))).toBe('carol (operator)');
    expect(verdict(index, evidence(alice, { username: 'self' }))).toBe('alice (owner)');
    expect(['manage', 'self'].map((username) => verdict(index, evidence(both, { username })))).toEqual([
      'dave (admin)',
      'dave-test (owner)',
    ]);
  });

  it.each<[what: string, shown: Evidence]>([
    ['of a user, at manage@', evidence(alice)],
    ['of an admin, at self@', evidence(carol, { username: 'self' })],
    ['with another login name', evidence(carol, { username: 'root' })],
    ['with the beginning of a login name', evidence(carol, { username: 'manag' })],
    ['with a login name that is too long', evidence(carol, { username: 'x'.repeat(65) })],
    ['that is unknown', evidence(makeIdentity({ owns: [] }).identity)],
    ['with another algorithm', evidence(carol, { algorithm: 'rsa-sha2-512' })],
    ['with the algorithm of a certificate', evidence(carol, { algorithm: 'ssh-ed25519-cert-v01@openssh.com' })],
    ['in another encoding', evidence({ ...carol, blob: `${carol.blob}=` })],
  ])('%s admits nobody', (_, shown) => {
    expect(index.admit(shown, now).admitted).toBe('no');
  });

  it('of type RSA is accepted only with SHA-2', () => {
    const rsa: Identity = {
      blob: wire('ssh-rsa', Buffer.from([1, 0, 1]), Buffer.alloc(384, 0x55)).toString('base64'),
      type: 'ssh-rsa',
      fingerprint: 'SHA256:rsa',
      admin: { name: 'carol', role: 'admin', limits: {} },
      owns: [],
    };
    const rsaIndex = new KeyIndex();
    rsaIndex.replace({ ...emptyDirectory, identities: [rsa] });
    const by = (algorithm: string): string => verdict(rsaIndex, evidence(rsa, { algorithm }));
    expect(['rsa-sha2-256', 'rsa-sha2-512', 'ssh-rsa', 'ssh-dss', 'ssh-ed25519'].map(by)).toEqual([
      'carol (admin)',
      'carol (admin)',
      unknown,
      unknown,
      unknown,
    ]);
  });

  it.each<[limits: KeyLimits, change: Partial<Evidence>, nowMs: number, verdict: string]>([
    [{ expiresAt: '2026-11-24T12:00:00.001Z' }, {}, now, 'erin (admin)'],
    [{ expiresAt: '2026-11-24T12:00:00.000Z' }, {}, now, 'your key has expired'],
    // An invalid time counts as past.
    [{ expiresAt: 'soon' }, {}, now, 'your key has expired'],
    [{ from: '192.0.2.0/24' }, {}, now, 'erin (admin)'],
    [{ from: '192.0.2.0/24' }, { address: '::ffff:192.0.2.7' }, now, 'erin (admin)'],
    [{ from: '192.0.2.0/24,!192.0.2.7' }, {}, now, 'your key may not be used from this address'],
    [{ from: '10.0.0.0/8' }, {}, now, 'your key may not be used from this address'],
    [{ from: '192.0.2.0/24' }, { address: '' }, now, 'your key may not be used from this address'],
    [{ verifyRequired: true }, {}, now, 'erin (admin)'],
    [
      { verifyRequired: true },
      { verified: { touched: true, personVerified: false } },
      now,
      'your key requires a PIN or a fingerprint',
    ],
    [{ verifyRequired: true }, { verified: { touched: true, personVerified: true } }, now, 'erin (admin)'],
  ])('is held to the limits %j', (limits, change, nowMs, expected) => {
    const erin = makeIdentity({ admin: { name: 'erin', role: 'admin', limits }, owns: ['erin'] }).identity;
    const limited = new KeyIndex();
    limited.replace({ ...emptyDirectory, identities: [erin] });
    expect(verdict(limited, evidence(erin, change), nowMs)).toBe(expected);
    // The limits apply to the admin, not to the owner of the container.
    expect(verdict(limited, evidence(erin, { ...change, username: 'self' }), nowMs)).toBe('erin (owner)');
  });
});

describe('an invitation', () => {
  const token = newToken();
  const hash = createHash('sha256').update(token).digest('hex');
  const guest = makeIdentity({ owns: [] }).identity;
  const invited = (change: Partial<Evidence> = {}): Evidence =>
    evidence(guest, { username: `invite-${token}`, ...change });
  const open = (): KeyIndex => {
    const index = new KeyIndex();
    index.replace({ ...emptyDirectory, invitations: [{ hash, expiresAtMs: now + 1000 }] });
    return index;
  };

  it('admits a valid key until the invitation expires', () => {
    expect([now, now + 999, now + 1000].map((nowMs) => verdict(open(), invited(), nowMs))).toEqual([
      'invited',
      'invited',
      unknown,
    ]);
  });

  it('for one key admits this key, and gives any other the answer of an unknown token', () => {
    const index = new KeyIndex();
    index.replace({ ...emptyDirectory, invitations: [{ hash, expiresAtMs: now + 1000, blob: guest.blob }] });
    const other = makeIdentity({ owns: [] }).identity;
    expect(verdict(index, invited())).toBe('invited');
    expect(verdict(index, invited({ blob: other.blob }))).toBe(unknown);
    expect(verdict(index, invited({ username: `invite-${newToken()}` }))).toBe(unknown);
    expect(verdict(index, invited(), now + 1000)).toBe(unknown);
  });

  it('admits nobody after it was spent', () => {
    const index = open();
    index.spend(hash);
    expect(verdict(index, invited())).toBe(unknown);
  });

  const long = makeSecurityKey('ed25519', 'long', 'x'.repeat(13_000));
  const raw = Buffer.from(guest.blob, 'base64');
  it.each<[what: string, change: Partial<Evidence>]>([
    ['another token', { username: `invite-${newToken()}` }],
    ['a token with trailing characters', { username: `invite-${token}a` }],
    ['an algorithm of another key type', { algorithm: 'rsa-sha2-512' }],
    ['a certificate', { algorithm: 'ssh-ed25519-cert-v01@openssh.com' }],
    ['a key with trailing bytes', { blob: Buffer.concat([raw, Buffer.alloc(1)]).toString('base64') }],
    ['a truncated key', { blob: raw.subarray(0, 40).toString('base64') }],
    [
      'a short RSA key',
      {
        algorithm: 'rsa-sha2-512',
        blob: wire(
          'ssh-rsa',
          Buffer.from([1, 0, 1]),
          Buffer.concat([Buffer.alloc(255, 0x55), Buffer.from([0x57])]),
        ).toString('base64'),
      },
    ],
    ['a key that is too long', { algorithm: long.type, blob: long.blob.toString('base64') }],
    ['an empty key', { blob: '' }],
  ])('admits nobody with %s', (_, change) => {
    expect(verdict(open(), invited(change))).toBe(unknown);
  });
});
