/** The directory of who may log in: in which order a key has its containers, and which invitations are in it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PublicKey } from '../../../../src/domain/keys/publicKey.ts';
import { AdminStore } from '../../../../src/service/access/adminStore.ts';
import { CaStore } from '../../../../src/service/access/caStore.ts';
import { makeDirectory, type Owner, type OwnState } from '../../../../src/service/access/directory.ts';
import { InvitationStore, type InvitingOwner } from '../../../../src/service/access/invitationStore.ts';
import { newKey } from '../../../support/world/keys.ts';

let folder: string;
let own: OwnState;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'containarium-directory-'));
  const admins = await AdminStore.open(join(folder, 'admins.json'));
  own = {
    admins,
    cas: await CaStore.open(join(folder, 'cas.json')),
    invitations: await InvitationStore.open(join(folder, 'invitations.json'), admins, () => new Date()),
    certificates: { trust: undefined },
  };
});
afterEach(() => rm(folder, { recursive: true }));

const shared = newKey('shared');

function owner(user: string, addedAt: string, { key = shared, createdAt = '' } = {}): Owner {
  return { user, createdAt, expiresAt: undefined, keys: [{ line: key.line, addedAt, addedBy: 'carol' }] };
}

const ownedBy = (key: PublicKey, owners: readonly Owner[]): readonly string[] | undefined =>
  makeDirectory(own, owners).identities.find(({ fingerprint }) => fingerprint === key.fingerprint)?.owns;

describe('a key of several containers', () => {
  const [early, late] = ['2026-11-01T10:00:00.000Z', '2026-11-02T10:00:00.000Z'];

  it.each<[what: string, owners: readonly Owner[], owns: readonly string[]]>([
    ['that got it first', [owner('alice', late), owner('bob', early)], ['bob', 'alice']],
    [
      'whose name is first, if it got them at the same time',
      [owner('bob', late), owner('alice', late)],
      ['alice', 'bob'],
    ],
    ['for which no time is known', [owner('alice', late), owner('zoe', '')], ['zoe', 'alice']],
  ])('has the container first %s, whatever order Incus lists', (_, owners, owns) => {
    expect(ownedBy(shared, owners)).toEqual(owns);
    expect(ownedBy(shared, [...owners].reverse())).toEqual(owns);
  });
});

describe("an owner's invitation", () => {
  const [desk, laptop] = [newKey('alice@desk'), newKey('alice@laptop')];
  const present = owner('alice', '', { key: desk });
  const invite = (by: InvitingOwner): Promise<unknown> =>
    own.invitations.makeOwn({ user: 'alice', createdAt: '' }, { name: 'alice', owner: by }, [laptop, undefined]);
  const inDirectory = (...owners: Owner[]): readonly (string | undefined)[] =>
    makeDirectory(own, owners).invitations.map(({ blob }) => blob);

  it('is in the directory with its only key, while the container has the key that made it', async () => {
    await invite({ fingerprint: desk.fingerprint });
    expect(inDirectory(present)).toEqual([laptop.base64, undefined]);
    expect(inDirectory(owner('alice', '', { key: newKey('another') }))).toEqual([]);
    expect(inDirectory(owner('bob', '', { key: desk }))).toEqual([]);
    expect(inDirectory()).toEqual([]);
  });

  it('by a certificate is in the directory while its CA certifies at self@ and has not revoked it', async () => {
    const certificate = { ca: 'office', keyId: 'alice laptop', serial: '7' };
    await invite({ fingerprint: laptop.fingerprint, certificate });
    expect(inDirectory(present)).toEqual([]);
    await own.cas.add('office', ['self'], newKey('ca'), 'carol', new Date());
    expect(inDirectory(present)).toHaveLength(2);
    expect(inDirectory()).toEqual([]);
    await own.cas.revoke('office', { serials: ['7'], keyIds: [], fingerprints: [] });
    expect(inDirectory(present)).toEqual([]);
  });

  it('is not in it for a later container of the same user', async () => {
    await invite({ fingerprint: desk.fingerprint });
    expect(inDirectory(present)).toHaveLength(2);
    expect(inDirectory({ ...present, createdAt: '2026-11-02T10:00:00Z' })).toEqual([]);
  });

  it('with a key that cannot be read is left out, so that no other key can use it', async () => {
    const entry = { for: { kind: 'user', name: 'alice' }, by: 'alice', owner: { fingerprint: desk.fingerprint } };
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    const file = { invitations: [{ hash: 'f'.repeat(64), ...entry, key: 'no key', byRoot: false, expiresAt }] };
    await writeFile(join(folder, 'invitations.json'), JSON.stringify(file));
    own = {
      ...own,
      invitations: await InvitationStore.open(join(folder, 'invitations.json'), own.admins, () => new Date()),
    };
    expect(own.invitations.all).toHaveLength(1);
    expect(inDirectory(present)).toEqual([]);
  });
});

it('users whom a certificate may name are in the order in which their containers were created', () => {
  const owners = [
    owner('alice', '', { createdAt: '2026-11-02T10:00:00Z' }),
    owner('zoe', '', { createdAt: '2026-11-01T10:00:00.5Z' }),
    owner('bob', '', { createdAt: '2026-11-02T10:00:00Z' }),
  ];
  expect(makeDirectory(own, owners).users).toEqual(['zoe', 'alice', 'bob']);
});
