/**
 * Invitations for admins, from the proof that the front shows to the records in the journal. Invitations for containers
 * are tested in test/ssh/identity.test.ts.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { useInvitation, type InvitedOptions } from '../../../src/service/useInvitation.ts';
import { Logins } from '../../../src/core/logins/logins.ts';
import { emptyDirectory } from '../../../src/domain/access/directory.ts';
import { invitationLogin, newToken } from '../../../src/domain/access/invitation.ts';
import { withoutLimits } from '../../../src/domain/keys/keyLimits.ts';
import { parsePublicKey } from '../../../src/domain/keys/publicKey.ts';
import { AdminStore } from '../../../src/service/access/adminStore.ts';
import { hashOf, InvitationStore } from '../../../src/service/access/invitationStore.ts';
import { makeIdentity, prove, type IdentityKey } from '../../support/proofs.ts';

const denied = expect.objectContaining({ code: 'denied' }) as Error;
const address = '192.0.2.1';
const guest = makeIdentity({ owns: [] });

let folder: string;
let options: InvitedOptions;
let admins: AdminStore;
let invitations: InvitationStore;
let records: { readonly type: string; readonly [field: string]: unknown }[];
let token: string;
const changed = vi.fn(() => Promise.resolve());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'containarium-invited-'));
  changed.mockClear();
  records = [];
  const now = (): Date => new Date();
  admins = await AdminStore.open(join(folder, 'admins.json'));
  invitations = await InvitationStore.open(join(folder, 'invitations.json'), admins, now);
  ({ token } = await invitations.make({ kind: 'admin', name: 'ivy', role: 'viewer' }, { name: 'root', root: true }));
  const logins = new Logins({ now });
  logins.replaceDirectory({
    ...emptyDirectory,
    invitations: [{ hash: hashOf(token), expiresAtMs: Date.now() + 600_000 }],
  });
  options = {
    service: { now } as never,
    admins,
    invitations,
    logins,
    journal: { append: (entry) => Promise.resolve(records.push(entry as never)) as never },
    changed,
  };
});
afterEach(() => rm(folder, { recursive: true }));

const use = (key: IdentityKey = guest, change: object = {}): ReturnType<typeof useInvitation> =>
  useInvitation(options, { ...prove(key, invitationLogin(token)), ...change }, address);
const keysOf = (name: string): (string | undefined)[] =>
  admins
    .list()
    .find((admin) => admin.name === name)
    ?.keys.map(({ fingerprint }) => fingerprint) ?? [];

describe('an invitation', () => {
  it('binds the key that signed, which the journal records before and after', async () => {
    expect(await use()).toEqual({ entryPoint: 'manage', name: 'ivy', fingerprint: guest.identity.fingerprint });
    expect(keysOf('ivy')).toEqual([guest.identity.fingerprint]);
    const who = {
      verb: 'admin invite',
      target: 'ivy',
      actor: { name: 'ivy', role: 'viewer', entryPoint: 'manage', fingerprint: guest.identity.fingerprint, address },
      invitation: { by: 'root' },
    };
    expect(records).toMatchObject([
      { type: 'invitation-used', ...who },
      { type: 'outcome', outcome: 'ok', ...who },
    ]);
    expect(JSON.stringify(records)).not.toContain(token);
    expect(changed).toHaveBeenCalledOnce();
  });

  it('binds only one of many keys that arrive at the same time', async () => {
    const tries = await Promise.allSettled(Array.from({ length: 10 }, () => use(makeIdentity({ owns: [] }))));
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(keysOf('ivy')).toHaveLength(1);
    expect(records.map(({ type }) => type)).toEqual(['invitation-used', 'outcome']);
  });

  it.each<[what: string, change: () => object]>([
    ['an empty signature', () => ({ signature: '' })],
    ['the signature of another key', () => ({ blob: makeIdentity({ owns: [] }).identity.blob })],
    ['another token', () => ({ username: invitationLogin(newToken()) })],
    ['a login name that is no invitation', () => ({ username: 'manage' })],
    ['another connection', () => ({ sessionId: Buffer.alloc(32).toString('base64') })],
  ])('is not used up by %s, which the front alone would accept', async (_, change) => {
    await expect(use(guest, change())).rejects.toEqual(denied);
    expect([keysOf('ivy'), records]).toEqual([[], []]);
    expect(await use()).toMatchObject({ name: 'ivy' });
  });

  it('stays open if the key belongs to another admin, which is recorded too', async () => {
    await admins.add(
      'viewer',
      { keys: withoutLimits([parsePublicKey(`ssh-ed25519 ${guest.identity.blob} x`)]), role: 'viewer' },
      'test',
      new Date(),
    );
    await expect(use()).rejects.toMatchObject({ code: 'exists' });
    expect(records).toMatchObject([
      { type: 'invitation-used' },
      { type: 'outcome', outcome: 'failed', failure: { code: 'exists' } },
    ]);
    expect(changed).toHaveBeenCalledOnce();
    expect(await use(makeIdentity({ owns: [] }))).toMatchObject({ name: 'ivy' });
  });

  it('adds nobody if it was ended while it was being used', async () => {
    const { journal } = options;
    options = {
      ...options,
      journal: {
        append: async (entry) => {
          if (entry.type === 'invitation-used') await invitations.endOfAdmin('ivy');
          return journal.append(entry);
        },
      },
    };
    await expect(use()).rejects.toEqual(denied);
    expect(keysOf('ivy')).toEqual([]);
    expect(invitations.all).toEqual([]);
  });
});
