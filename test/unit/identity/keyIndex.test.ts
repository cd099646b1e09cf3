/** Who is let in by a key that is stored here, or by an invitation. Certificates are in certificates.test.ts. */
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

/** Who comes in, or why nobody. */
function verdict(index: KeyIndex, shown: Evidence, nowMs = now): string {
  const found = index.admit(shown, nowMs);
  return found.admitted === 'actor'
    ? `${found.actor.name} (${found.actor.role})`
    : found.admitted === 'no'
      ? found.why
      : 'invited';
}

const unknown = 'your key may not be used here any more';

describe('a key', () => {
  const carol = makeIdentity({ admin: { name: 'carol', role: 'operator', limits: {} }, owns: [] }).identity;
  const alice = makeIdentity({ owns: ['alice', 'shared'] }).identity;
  const both = makeIdentity({ admin: { name: 'dave', role: 'admin', limits: {} }, owns: ['dave-test'] }).identity;
  const index = new KeyIndex();
  index.replace({ ...emptyDirectory, identities: [carol, alice, both] });

  it('opens its own door', () => {
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
    ['at another name', evidence(carol, { username: 'root' })],
    ['at a name that is only the beginning of one', evidence(carol, { username: 'manag' })],
    ['at a name that is longer than any', evidence(carol, { username: 'x'.repeat(65) })],
    ['that nobody has', evidence(makeIdentity({ owns: [] }).identity)],
    ['under another algorithm', evidence(carol, { algorithm: 'rsa-sha2-512' })],
    ['under the name of a certificate', evidence(carol, { algorithm: 'ssh-ed25519-cert-v01@openssh.com' })],
    ['written differently', evidence({ ...carol, blob: `${carol.blob}=` })],
  ])('%s opens nothing', (_, shown) => {
    expect(index.admit(shown, now).admitted).toBe('no');
  });

  it('of RSA signs with SHA-2 only', () => {
    const rsa: Identity = {
      blob: wire('ssh-rsa', Buffer.from([1, 0, 1]), Buffer.alloc(384, 0x55)).toString('base64'),
      type: 'ssh-rsa',
      fingerprint: 'SHA256:rsa',
      admin: { name: 'carol', role: 'admin', limits: {} },
      owns: [],
    };
    const known = new KeyIndex();
    known.replace({ ...emptyDirectory, identities: [rsa] });
    const by = (algorithm: string): string => verdict(known, evidence(rsa, { algorithm }));
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
    // What is no time has passed.
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
      'your key wants you to be verified at it',
    ],
    [{ verifyRequired: true }, { verified: { touched: true, personVerified: true } }, now, 'erin (admin)'],
  ])('with the limits %j', (limits, change, nowMs, expected) => {
    const erin = makeIdentity({ admin: { name: 'erin', role: 'admin', limits }, owns: ['erin'] }).identity;
    const limited = new KeyIndex();
    limited.replace({ ...emptyDirectory, identities: [erin] });
    expect(verdict(limited, evidence(erin, change), nowMs)).toBe(expected);
    // They are limits of the admin, and not of the container's owner.
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

  it('lets in a key that could be added by hand, for as long as it lasts', () => {
    expect([now, now + 999, now + 1000].map((nowMs) => verdict(open(), invited(), nowMs))).toEqual([
      'invited',
      'invited',
      unknown,
    ]);
  });

  it('is for one: once somebody has signed, nobody else comes in', () => {
    const index = open();
    index.spend(hash);
    expect(verdict(index, invited())).toBe(unknown);
  });

  const long = makeSecurityKey('ed25519', 'long', 'x'.repeat(13_000));
  const raw = Buffer.from(guest.blob, 'base64');
  it.each<[what: string, change: Partial<Evidence>]>([
    ['another token', { username: `invite-${newToken()}` }],
    ['a token with more behind it', { username: `invite-${token}a` }],
    ['an algorithm that the key does not sign with', { algorithm: 'rsa-sha2-512' }],
    ['a certificate', { algorithm: 'ssh-ed25519-cert-v01@openssh.com' }],
    ['a key with something behind it', { blob: Buffer.concat([raw, Buffer.alloc(1)]).toString('base64') }],
    ['a key that is cut short', { blob: raw.subarray(0, 40).toString('base64') }],
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
    ['a key that is longer than any has to be', { algorithm: long.type, blob: long.blob.toString('base64') }],
    ['nothing', { blob: '' }],
  ])('lets in nobody with %s', (_, change) => {
    expect(verdict(open(), invited(change))).toBe(unknown);
  });
});
