/** core's own record of logins: a login that the front reports without a valid proof is denied. */
import { createHash, randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { kickSession } from '../../../../src/service/sessions.ts';
import { Logins } from '../../../../src/core/logins/logins.ts';
import { loginPlaces } from '../../../../src/core/turns/places.ts';
import type { Actor, Identity } from '../../../../src/domain/access/actor.ts';
import { emptyDirectory } from '../../../../src/domain/access/directory.ts';
import type { LoginProof } from '../../../../src/domain/access/login.ts';
import { invitationLogin, newToken } from '../../../../src/domain/access/invitation.ts';
import { makeIdentity, proofBy, prove, type IdentityKey } from '../../../support/proofs.ts';
import { makeSecurityKey } from '../../../support/rawClient.ts';

const endedByCore: [login: string, reason: string][] = [];
const front = { ended: (login: string, reason: string): unknown => endedByCore.push([login, reason]) };
const ended: string[] = [];
let logins: Logins;
let carol: IdentityKey;
let alice: IdentityKey;

function allow(identities: readonly Identity[]): void {
  logins.replaceDirectory({ ...emptyDirectory, identities });
}

beforeEach(() => {
  endedByCore.length = 0;
  ended.length = 0;
  carol = makeIdentity({ admin: { name: 'carol', role: 'operator', limits: {} }, owns: [] });
  alice = makeIdentity({ owns: ['alice'] });
  logins = new Logins({
    now: () => new Date(),
    closed: (actor, _since, reason) => ended.push(`${actor.name}: ${reason ?? 'left'}`),
  });
  allow([carol.identity, alice.identity]);
});

const denied = expect.objectContaining({ code: 'denied' }) as Error;

describe('a proof', () => {
  it('admits the holder of the key, with the rights of the key', () => {
    const actor = logins.prove(prove(carol, 'manage'), '192.0.2.1', front);
    expect(actor).toMatchObject({
      name: 'carol',
      role: 'operator',
      entryPoint: 'manage',
      fingerprint: carol.identity.fingerprint,
      address: '192.0.2.1',
    });
    expect(logins.actor(actor.login ?? '')).toEqual(actor);
    expect(logins.prove(prove(alice, 'self'), '192.0.2.1', front)).toMatchObject({
      name: 'alice',
      role: 'owner',
      entryPoint: 'self',
      owns: ['alice'],
    });
  });

  it('is good once and cannot be replayed', () => {
    const proof = prove(carol, 'manage');
    logins.prove(proof, '192.0.2.1', front);
    expect(() => logins.prove(proof, '192.0.2.1', front)).toThrow(denied);
    // 32 bytes leave four unused bits in the last digit: the same session, written differently.
    const [digits = ''] = proof.sessionId.split('=');
    const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'.indexOf(digits.at(-1) ?? '');
    const rewritten = `${digits.slice(0, -1)}${'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'[last + 1]}=`;
    expect(Buffer.from(rewritten, 'base64')).toEqual(Buffer.from(proof.sessionId, 'base64'));
    expect(() => logins.prove({ ...proof, sessionId: rewritten }, '192.0.2.1', front)).toThrow(denied);
  });

  it.each([
    ['with another login name', (proof: LoginProof) => ({ ...proof, username: 'self' })],
    [
      'with the session identifier of another connection',
      (proof: LoginProof) => ({ ...proof, sessionId: randomBytes(32).toString('base64') }),
    ],
    ['with another algorithm', (proof: LoginProof) => ({ ...proof, algorithm: 'rsa-sha2-512' })],
    [
      'for another service',
      (proof: LoginProof) => ({ ...prove(carol, 'manage', { service: 'ssh-other' }), username: proof.username }),
    ],
    ['without a signature', (proof: LoginProof) => ({ ...proof, signature: '' })],
    ['with another key', (proof: LoginProof) => ({ ...proof, blob: alice.identity.blob })],
    ['with an unknown key', (proof: LoginProof) => ({ ...proof, blob: makeIdentity({ owns: [] }).identity.blob })],
  ])('is denied %s', (_, change) => {
    expect(() => logins.prove(change(prove(carol, 'manage')), '192.0.2.1', front)).toThrow(denied);
    expect(logins.list()).toEqual([]);
  });

  it('is accepted only at the entry point of its key', () => {
    expect(() => logins.prove(prove(alice, 'manage'), '192.0.2.1', front)).toThrow(denied);
    expect(() => logins.prove(prove(carol, 'self'), '192.0.2.1', front)).toThrow(denied);
    expect(() => logins.prove(prove(carol, 'root'), '192.0.2.1', front)).toThrow(denied);
  });

  it('is not forgotten when another person logs in again and again', () => {
    const few = new Logins({ now: () => new Date(), maxProofs: 10 });
    few.replaceDirectory({ ...emptyDirectory, identities: [carol.identity, alice.identity] });
    const proof = prove(carol, 'manage');
    few.prove(proof, '192.0.2.1', front);
    for (let i = 0; i < 30; i++) few.prove(prove(alice, 'self'), '192.0.2.1', front);
    expect(() => few.prove(proof, '192.0.2.1', front)).toThrow(denied);
  });

  it('that is invalid is reported with its login name and address', () => {
    const failed: string[] = [];
    const watched = new Logins({ now: () => new Date(), proofRejected: (...what) => failed.push(what.join(' from ')) });
    watched.replaceDirectory({ ...emptyDirectory, identities: [carol.identity] });
    expect(() => watched.prove({ ...prove(carol, 'manage'), signature: '' }, '192.0.2.1', front)).toThrow(denied);
    expect(() => watched.prove(prove(alice, 'self'), '192.0.2.2', front)).toThrow(denied);
    expect(failed).toEqual(['manage from 192.0.2.1', 'self from 192.0.2.2']);
  });

  it('of an invitation does not open a login, and a proof of a login does not use an invitation', () => {
    const token = newToken();
    logins.replaceDirectory({
      ...emptyDirectory,
      identities: [carol.identity],
      invitations: [{ hash: createHash('sha256').update(token).digest('hex'), expiresAtMs: Date.now() + 60_000 }],
    });
    const guest = makeIdentity({ owns: [] });
    expect(() => logins.prove(prove(guest, invitationLogin(token)), '192.0.2.1', front)).toThrow(denied);
    expect(() => logins.proveInvitation(prove(carol, 'manage'), '192.0.2.1')).toThrow(denied);
    expect(logins.proveInvitation(prove(guest, invitationLogin(token)), '192.0.2.1')).toMatchObject({
      admitted: 'invitation',
      key: { type: 'ssh-ed25519' },
    });
    expect(logins.list()).toEqual([]);
  });
});

describe('a FIDO key', () => {
  const token = makeSecurityKey('ed25519', 'token');
  const show = (flags: number) =>
    proofBy(token.signer(flags), { username: 'manage', algorithm: token.type, blob: token.blob });
  const entitle = (verifyRequired: boolean): void =>
    allow([
      {
        blob: token.blob.toString('base64'),
        type: token.type,
        fingerprint: 'SHA256:token',
        admin: { name: 'carol', role: 'operator', limits: { verifyRequired } },
        owns: [],
      },
      alice.identity,
    ]);
  const [touched, verified] = [1, 4];

  it('must be touched for a login, and other keys have no touch', () => {
    entitle(false);
    expect(() => logins.prove(show(0), '192.0.2.1', front)).toThrow(denied);
    expect(() => logins.prove(show(verified), '192.0.2.1', front)).toThrow(denied);
    const { login = '' } = logins.prove(show(touched), '192.0.2.1', front);
    expect(logins.touchedAt(login)).toBeInstanceOf(Date);
    expect(logins.touchedAt(logins.prove(prove(alice, 'self'), '192.0.2.1', front).login ?? '')).toBeUndefined();
    expect(logins.touchedAt('another')).toBeUndefined();
  });

  it('must verify its user if verify-required is set, also for a login that is already open', () => {
    entitle(true);
    expect(() => logins.prove(show(touched), '192.0.2.1', front)).toThrow(denied);
    logins.prove(show(touched | verified), '192.0.2.1', front);
    entitle(false);
    const { login = '' } = logins.prove(show(touched), '192.0.2.1', front);
    entitle(true);
    expect(endedByCore).toEqual([[login, 'your key requires a PIN or a fingerprint']]);
  });
});

describe('a login', () => {
  it.each([
    ['is removed', [] as Identity[], 'your key is no longer accepted here'],
    ['gets another role', [{ role: 'viewer', name: 'carol' } as const], 'your role is now viewer: log in again'],
    ['gets another name', [{ role: 'operator', name: 'dave' } as const], 'your key now belongs to dave: log in again'],
  ])('ends when its key %s', (_, after, reason) => {
    const { login = '' } = logins.prove(prove(carol, 'manage'), '192.0.2.1', front);
    allow(after.map((admin) => ({ ...carol.identity, admin: { limits: {}, ...admin } })) as Identity[]);
    expect(endedByCore).toEqual([[login, reason]]);
    expect(ended).toEqual([`carol: ${reason}`]);
    expect(() => logins.actor(login)).toThrow(denied);
  });

  it('of an owner follows the containers that the owner has, and ends with the last one', () => {
    const { login = '' } = logins.prove(prove(alice, 'self'), '192.0.2.1', front);
    allow([{ ...alice.identity, owns: ['alice', 'shared'] }]);
    expect(logins.actor(login).owns).toEqual(['alice', 'shared']);
    allow([{ ...alice.identity, owns: [] }]);
    expect(() => logins.actor(login)).toThrow(denied);
  });

  it('of an owner keeps its name while its key has that container, whichever comes first in the directory', () => {
    const { login = '' } = logins.prove(prove(alice, 'self'), '192.0.2.1', front);
    allow([{ ...alice.identity, owns: ['aaron', 'alice'] }]);
    expect(logins.actor(login)).toMatchObject({ name: 'alice', owns: ['aaron', 'alice'] });
    expect(logins.list()).toMatchObject([{ login, name: 'alice', containers: ['aaron', 'alice'] }]);
    expect(endedByCore).toEqual([]);
  });

  it('of an owner ends with the container of its name, although its key has another one', () => {
    const { login = '' } = logins.prove(prove(alice, 'self'), '192.0.2.1', front);
    allow([{ ...alice.identity, owns: ['aaron'] }]);
    expect(endedByCore).toEqual([[login, 'you no longer have the container of alice: log in again']]);
    expect(() => logins.actor(login)).toThrow(denied);
  });

  it("is ended by session kick with its id or its person's name, but not a login of root on the host", async () => {
    const first = logins.prove(prove(carol, 'manage'), '192.0.2.1', front);
    logins.prove(prove(carol, 'manage'), '192.0.2.2', front);
    const root = logins.openLocal('carol', front);
    const kick = (shell: string): ReturnType<typeof kickSession> =>
      kickSession({ logins }, { session: shell, reason: 'maintenance' }, { actor: root });
    expect((await kick(first.login ?? '')).ended).toHaveLength(1);
    expect((await kick('carol')).ended.map(({ address }) => address)).toEqual(['192.0.2.2']);
    await expect(kick('carol')).rejects.toMatchObject({ code: 'not-found' });
    expect(logins.actor(root.login ?? '')).toMatchObject({ role: 'root', entryPoint: 'local' });
  });

  it('has the number of its open shells', () => {
    const { login = '' } = logins.prove(prove(carol, 'manage'), '192.0.2.1', front);
    logins.countShells(login, 1);
    logins.countShells(login, 1);
    logins.countShells(login, -1);
    expect(logins.list()).toMatchObject([{ login, name: 'carol', shells: 1 }]);
    logins.close(login);
    expect(logins.list()).toEqual([]);
    expect(endedByCore).toEqual([]);
  });

  it('is named among those that another directory would end, and stays open', () => {
    const hers = logins.prove(prove(carol, 'manage'), '192.0.2.1', front);
    logins.prove(prove(alice, 'self'), '192.0.2.1', front);
    expect(logins.endedBy({ ...emptyDirectory, identities: [carol.identity, alice.identity] })).toEqual([]);
    expect(logins.endedBy({ ...emptyDirectory, identities: [carol.identity] })).toEqual([
      { name: 'alice', entryPoint: 'self', reason: 'your key is no longer accepted here' },
    ]);
    const viewer = { ...carol.identity, admin: { name: 'carol', role: 'viewer', limits: {} } } as const;
    expect(logins.endedBy({ ...emptyDirectory, identities: [viewer, alice.identity] })).toEqual([
      { name: 'carol', entryPoint: 'manage', reason: 'your role is now viewer: log in again' },
    ]);
    expect(endedByCore).toEqual([]);
    expect(logins.actor(hers.login ?? '')).toMatchObject({ role: 'operator' });
  });

  it('loses all rights at the moment its key expires, even before the next recheck', () => {
    let nowMs = Date.parse('2026-11-24T12:00:00Z');
    const watched = new Logins({ now: () => new Date(nowMs) });
    watched.replaceDirectory({
      ...emptyDirectory,
      identities: [
        {
          ...carol.identity,
          admin: { name: 'carol', role: 'operator', limits: { expiresAt: new Date(nowMs + 1000).toISOString() } },
        },
      ],
    });
    const { login = '' } = watched.prove(prove(carol, 'manage'), '192.0.2.1', front);
    nowMs += 999;
    expect(watched.actor(login).name).toBe('carol');
    nowMs += 1;
    expect(() => watched.actor(login)).toThrow(
      expect.objectContaining({ code: 'denied', why: 'your key has expired' }) as Error,
    );
    expect(endedByCore).toEqual([]);
    watched.recheck();
    expect(endedByCore).toEqual([[login, 'your key has expired']]);
  });

  it('is refused as busy beyond the limit of one person, until another of their logins ends', () => {
    const limits = { all: 10, ofOwners: 8, perAdmin: 2, perOwner: 2 };
    const two = new Logins({ now: () => new Date(), places: loginPlaces(limits) });
    const open = (): Actor => two.prove(prove(carol, 'manage'), '192.0.2.1', front);
    const refused = expect.objectContaining({ code: 'busy', why: 'you have 2 logins open' }) as Error;
    const allow = (): void => two.replaceDirectory({ ...emptyDirectory, identities: [carol.identity] });
    allow();
    const [first] = [open(), open()];
    expect(open).toThrow(refused);
    for (let i = 0; i < 5; i++) two.openLocal('root', front);
    two.close(first.login ?? '');
    two.close(first.login ?? '');
    expect(open().name).toBe('carol');
    expect(open).toThrow(refused);
    // Logins that core ends leave their places too.
    two.replaceDirectory(emptyDirectory);
    allow();
    expect([open().name, open().name]).toEqual(['carol', 'carol']);
    expect(open).toThrow(refused);
  });
});
