/** Invitations: used once, valid for ten minutes, and no token on disk. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseLimitedKeys } from '../../../../src/domain/keys/keyLimits.ts';
import { AdminStore } from '../../../../src/service/access/adminStore.ts';
import { boundKey, hashOf, InvitationStore } from '../../../../src/service/access/invitationStore.ts';
import { makeKey } from '../../../support/keys.ts';
import { newKey } from '../../../support/world/keys.ts';

let folder: string;
let now: Date;
let admins: AdminStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'containarium-invitations-'));
  now = new Date('2026-11-24T12:00:00Z');
  admins = await AdminStore.open(join(folder, 'admins.json'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const open = (): Promise<InvitationStore> => InvitationStore.open(join(folder, 'invitations.json'), admins, () => now);
const root = { name: 'root', root: true };
const alices = { kind: 'user', name: 'alice', container: 'first' } as const;
const containerOf = (user: string) => ({ user, createdAt: 'first' });
const denied = expect.objectContaining({ code: 'denied' }) as Error;

describe('an invitation', () => {
  it('is used once, however many clients present it at the same time', async () => {
    const invitations = await open();
    const { token } = await invitations.make(alices, root);
    let bound = 0;
    const tries = await Promise.allSettled(
      Array.from({ length: 20 }, () =>
        invitations.use(hashOf(token), () => new Promise((resolve) => setTimeout(() => resolve(++bound), 5))),
      ),
    );
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(bound).toBe(1);
    await expect(invitations.use(hashOf(token), () => Promise.resolve())).rejects.toEqual(denied);
    await expect((await open()).use(hashOf(token), () => Promise.resolve())).rejects.toEqual(denied);
  });

  it('leaves the disk before it is used, and returns if its use fails', async () => {
    const invitations = await open();
    const { token } = await invitations.make(alices, root);
    const failing = invitations.use(hashOf(token), async () => {
      expect((await open()).all).toEqual([]);
      throw new Error('busy');
    });
    await expect(failing).rejects.toThrow('busy');
    expect(await (await open()).use(hashOf(token), () => Promise.resolve('bound'))).toBe('bound');
  });

  it('lasts ten minutes', async () => {
    const invitations = await open();
    const { token } = await invitations.make(alices, root);
    now = new Date(now.getTime() + 600_000 - 1);
    expect(invitations.all).toHaveLength(1);
    now = new Date(now.getTime() + 1);
    expect(invitations.all).toEqual([]);
    await expect(invitations.use(hashOf(token), () => Promise.resolve())).rejects.toEqual(denied);
  });

  it('ends with the rights of the admin who made it', async () => {
    const key = await makeKey(folder, 'admin');
    await admins.add('admin', { keys: parseLimitedKeys(key.line), role: 'admin' }, 'test', now);
    await admins.add('dave', { keys: [], role: 'operator', certificate: true }, 'test', now);
    const invitations = await open();
    await invitations.make(alices, { name: 'dave', root: false });
    expect(invitations.all).toHaveLength(1);
    // An operator may not invite admins.
    await expect(invitations.make({ kind: 'admin', name: 'eve' }, { name: 'dave', root: false })).rejects.toEqual(
      denied,
    );
    await admins.setRole('dave', 'viewer');
    expect(invitations.all).toEqual([]);
  });

  it('is refused beyond a thousand open ones', async () => {
    const many = (expiresAt: Date): Promise<void> =>
      writeFile(
        join(folder, 'invitations.json'),
        JSON.stringify({
          invitations: Array.from({ length: 1000 }, (_, i) => ({
            hash: `${i}`.padStart(64, '0'),
            for: { kind: 'user', name: 'alice' },
            by: 'root',
            byRoot: true,
            expiresAt: expiresAt.toISOString(),
          })),
        }),
      );
    await many(new Date(now.getTime() + 1000));
    await expect((await open()).make(alices, root)).rejects.toMatchObject({ code: 'busy' });
    await many(now);
    expect((await (await open()).make(alices, root)).token).toBeDefined();
  });

  it('is stored only as a hash of a token with more than 128 random bits', async () => {
    const invitations = await open();
    const tokens = await Promise.all(
      Array.from({ length: 5 }, async () => (await invitations.make(alices, root)).token),
    );
    const text = await readFile(join(folder, 'invitations.json'), 'utf8');
    expect(new Set(tokens).size).toBe(5);
    for (const token of tokens) {
      expect(token).toMatch(/^[a-z2-7]{32}$/);
      expect(text).not.toContain(token);
      expect(text).toContain(hashOf(token));
    }
  });
});

describe('an invitation of an owner', () => {
  const alice = { name: 'alice', owner: { fingerprint: 'SHA256:desk' } };
  const [laptop, phone] = [newKey('alice@laptop'), newKey('alice@phone')];

  it('keeps its maker and the key that may use it, through a restart', async () => {
    const [made] = await (await open()).makeOwn(containerOf('alice'), alice, [laptop]);
    expect(made?.invitation).toMatchObject({
      kind: 'user',
      name: 'alice',
      by: 'alice',
      byOwner: true,
      fingerprint: laptop.fingerprint,
      comment: 'alice@laptop',
    });
    const again = await open();
    expect(again.list()).toEqual([made?.invitation]);
    expect(again.ofOwner('alice').map(boundKey)).toEqual([laptop]);
    expect(again.ofOwner('bob')).toEqual([]);
  });

  it('replaces an earlier one for the same key of the same container, and no other', async () => {
    const invitations = await open();
    const [first] = await invitations.makeOwn(containerOf('alice'), alice, [laptop, phone, undefined]);
    await invitations.makeOwn(containerOf('bob'), { name: 'bob', owner: { fingerprint: 'SHA256:bob' } }, [laptop]);
    await invitations.makeOwn(containerOf('alice'), alice, [laptop, undefined]);
    expect(invitations.ofOwner('alice').map(({ key }) => key)).toEqual([phone.line, undefined, laptop.line, undefined]);
    expect(invitations.ofOwner('bob')).toHaveLength(1);
    await expect(invitations.use(hashOf(first?.token ?? ''), () => Promise.resolve())).rejects.toEqual(denied);
  });

  it('is refused beyond ten for a container, all of a call or none, and leaves the others of admins room', async () => {
    const invitations = await open();
    await invitations.make(alices, root);
    await invitations.makeOwn(
      containerOf('alice'),
      alice,
      Array.from({ length: 9 }, () => undefined),
    );
    await expect(invitations.makeOwn(containerOf('alice'), alice, [laptop, phone])).rejects.toMatchObject({
      code: 'busy',
      why: 'of the 10 that can be open for "alice", 9 are',
      next: 'use or cancel one of them: see "keys alice"',
    });
    expect(invitations.ofOwner('alice')).toHaveLength(9);
    await invitations.makeOwn(containerOf('alice'), alice, [laptop]);
    // The same key takes the place of its own earlier invitation.
    await invitations.makeOwn(containerOf('alice'), alice, [laptop]);
    await expect(invitations.makeOwn(containerOf('alice'), alice, [undefined])).rejects.toMatchObject({ code: 'busy' });
    expect(await invitations.makeOwn(containerOf('bob'), alice, [undefined])).toHaveLength(1);
    now = new Date(now.getTime() + 600_000);
    expect(await invitations.makeOwn(containerOf('alice'), alice, [phone])).toHaveLength(1);
  });

  it('does not stand if it is for an admin, whatever the file says', async () => {
    const forged = { hash: 'f'.repeat(64), for: { kind: 'admin', name: 'eve' }, by: 'alice', byRoot: true };
    const expiresAt = new Date(now.getTime() + 1000).toISOString();
    await writeFile(
      join(folder, 'invitations.json'),
      JSON.stringify({ invitations: [{ ...forged, owner: alice.owner, expiresAt }] }),
    );
    expect((await open()).all).toEqual([]);
  });
});

describe('what an invitation was for', () => {
  const admin = async (name: string): Promise<unknown> =>
    admins.add(name, { keys: [], role: 'admin', certificate: true }, 'test', now);

  it('ends it: an invitation for an admin ends with the admin, and one that the admin has made', async () => {
    await admin('carol');
    const invitations = await open();
    await invitations.make({ kind: 'admin', name: 'carol' }, root);
    await invitations.make({ kind: 'admin', name: 'dave', role: 'viewer' }, { name: 'carol', root: false });
    await invitations.make({ kind: 'admin', name: 'erin', role: 'viewer' }, root);
    expect(await invitations.endOfAdmin('carol')).toMatchObject([{ name: 'carol' }, { name: 'dave' }]);
    expect((await open()).all.map(({ for: { name } }) => name)).toEqual(['erin']);
  });

  it('is an admin who is there, if it names no role', async () => {
    const invitations = await open();
    await expect(invitations.make({ kind: 'admin', name: 'carol' }, root)).rejects.toEqual(
      expect.objectContaining({ code: 'denied' }),
    );
    await admin('carol');
    await invitations.make({ kind: 'admin', name: 'carol' }, root);
    expect(invitations.all).toHaveLength(1);
  });

  it('ends it while it is being used, so that it does not return', async () => {
    const invitations = await open();
    const { token } = await invitations.make({ kind: 'admin', name: 'carol', role: 'viewer' }, root);
    const used = invitations.use(hashOf(token), async (_, isEnded) => {
      expect(isEnded()).toBe(false);
      await invitations.endOfAdmin('carol');
      expect(isEnded()).toBe(true);
      throw new Error('too late');
    });
    await expect(used).rejects.toThrow('too late');
    expect(invitations.all).toEqual([]);
  });

  it('is one container: it ends when Incus has another one of the same user, or none', async () => {
    const invitations = await open();
    await invitations.make(alices, root);
    const askedAtMs = now.getTime() + 1;
    await invitations.endOfGone([containerOf('bob'), containerOf('alice')], askedAtMs);
    expect(invitations.all).toHaveLength(1);
    await invitations.endOfGone([], askedAtMs - 1);
    expect(invitations.all).toHaveLength(1);
    await invitations.endOfGone([{ user: 'alice', createdAt: 'second' }], askedAtMs);
    expect((await open()).all).toEqual([]);
  });

  it('is forgotten for good when a role does not allow it any more', async () => {
    await admin('carol');
    const invitations = await open();
    await invitations.make(alices, { name: 'carol', root: false });
    await admins.add('zoe', { keys: parseLimitedKeys(newKey('zoe').line), role: 'admin' }, 'test', now);
    await admins.setRole('carol', 'viewer');
    await invitations.prune();
    await admins.setRole('carol', 'admin');
    expect(invitations.all).toEqual([]);
  });
});

describe('the file of version 0.1.0', () => {
  it('is read: any key may use its invitations, which admins have made', async () => {
    const fixture = join(import.meta.dirname, '../../../fixtures/0.1.0/state/invitations.json');
    await cp(fixture, join(folder, 'invitations.json'));
    now = new Date('2026-11-28T18:00:00Z');
    const key = await makeKey(folder, 'admin');
    await admins.add('admin', { keys: parseLimitedKeys(key.line), role: 'admin' }, 'test', now);
    expect((await open()).list()).toMatchObject([
      { kind: 'admin', name: 'erin', role: 'viewer', by: 'admin', byOwner: false, fingerprint: null },
      { kind: 'user', name: 'alice', role: null, by: 'admin', byOwner: false, fingerprint: null },
    ]);
  });
});
