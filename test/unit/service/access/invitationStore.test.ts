/** Invitations: used once, valid for ten minutes, and no token on disk. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseLimitedKeys } from '../../../../src/domain/keys/keyLimits.ts';
import { AdminStore } from '../../../../src/service/access/adminStore.ts';
import { hashOf, InvitationStore } from '../../../../src/service/access/invitationStore.ts';
import { makeKey } from '../../../support/keys.ts';

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
const denied = expect.objectContaining({ code: 'denied' }) as Error;

describe('an invitation', () => {
  it('is used once, however many clients present it at the same time', async () => {
    const invitations = await open();
    const { token } = await invitations.make({ kind: 'user', name: 'alice' }, root);
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
    const { token } = await invitations.make({ kind: 'user', name: 'alice' }, root);
    const failing = invitations.use(hashOf(token), async () => {
      expect((await open()).all).toEqual([]);
      throw new Error('busy');
    });
    await expect(failing).rejects.toThrow('busy');
    expect(await (await open()).use(hashOf(token), () => Promise.resolve('bound'))).toBe('bound');
  });

  it('lasts ten minutes', async () => {
    const invitations = await open();
    const { token } = await invitations.make({ kind: 'user', name: 'alice' }, root);
    now = new Date(now.getTime() + 600_000 - 1);
    expect(invitations.all).toHaveLength(1);
    now = new Date(now.getTime() + 1);
    expect(invitations.all).toEqual([]);
    await expect(invitations.use(hashOf(token), () => Promise.resolve())).rejects.toEqual(denied);
  });

  it('ends with the rights of the admin who made it', async () => {
    const key = await makeKey(folder, 'admin');
    await admins.add('admin', { keys: parseLimitedKeys(key.line) }, 'test', now);
    await admins.add('dave', { keys: [], role: 'operator', certificate: true }, 'test', now);
    const invitations = await open();
    await invitations.make({ kind: 'user', name: 'alice' }, { name: 'dave', root: false });
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
    await expect((await open()).make({ kind: 'user', name: 'alice' }, root)).rejects.toMatchObject({ code: 'busy' });
    await many(now);
    expect((await (await open()).make({ kind: 'user', name: 'alice' }, root)).token).toBeDefined();
  });

  it('is stored only as a hash of a token with more than 128 random bits', async () => {
    const invitations = await open();
    const tokens = await Promise.all(
      Array.from({ length: 5 }, async () => (await invitations.make({ kind: 'user', name: 'alice' }, root)).token),
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
