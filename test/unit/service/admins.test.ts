/** `admin add`, `admin list`, `admin role`, `admin remove` and `admin invite`: carol is an admin, vic is a viewer. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { FailureCode } from '../../../src/domain/failure.ts';
import { parseLimitedKeys, withoutLimits, type LimitedKey } from '../../../src/domain/keys/keyLimits.ts';
import type { PublicKey } from '../../../src/domain/keys/publicKey.ts';
import { addAdmin, listAdmins, removeAdmin, setAdminRole } from '../../../src/service/admins.ts';
import { inviteAdmin, listInvitations } from '../../../src/service/invitations.ts';
import { callBy, hosts } from '../../support/world/hosts.ts';
import { newKey } from '../../support/world/keys.ts';
import type { World } from '../../support/world/world.ts';

const desk = newKey('carol@desk');
const laptop = newKey('carol@laptop');
const vics = newKey('vic@desk');
const other = newKey('new@desk');

const host = hosts(async ({ context }) => {
  await addAdmin(context, { name: 'carol', keys: withoutLimits([desk, laptop]) }, callBy());
  await addAdmin(context, { name: 'vic', keys: withoutLimits([vics]), role: 'viewer' }, callBy());
});

const byRoot = { actor: { name: 'root', role: 'root', entryPoint: 'local' } } as const;

let world: World;
beforeEach(async () => {
  world = await host();
});

const limited = (options: string, { line }: PublicKey): LimitedKey[] => parseLimitedKeys(`${options} ${line}`);
const stateFile = (): string => join(world.folder, 'admins.json');
const stored = (): string => readFileSync(stateFile(), 'utf8');
/** Returns each admin as `name role comment comment …`. */
const admins = async (): Promise<string[]> =>
  (await listAdmins(world.context)).admins.map(({ name, role, keys }) =>
    [name, role, ...keys.map(({ comment }) => comment)].join(' '),
  );
const add = (addition: Parameters<typeof addAdmin>[1]): ReturnType<typeof addAdmin> =>
  addAdmin(world.context, addition, callBy());
const role = (name: string, to: 'viewer' | 'operator' | 'admin'): ReturnType<typeof setAdminRole> =>
  setAdminRole(world.context, { name, role: to }, byRoot);
const remove = (admin: string): ReturnType<typeof removeAdmin> => removeAdmin(world.context, { admin }, byRoot);

const unchanged = ['carol admin carol@desk carol@laptop', 'vic viewer vic@desk'];

/** Expects a refusal that leaves memory and disk as they were. */
async function refused(act: () => Promise<unknown>, code: FailureCode): Promise<void> {
  const before = stored();
  await expect(act()).rejects.toMatchObject({ code });
  expect(await admins()).toEqual(unchanged);
  expect(stored()).toBe(before);
}

describe('admin add', () => {
  it.each([
    ['an admin, unless a role is given', undefined, 'admin'],
    ['an operator', 'operator', 'operator'],
    ['a viewer', 'viewer', 'viewer'],
  ] as const)('adds %s', async (_, given, expected) => {
    const result = await add({ name: 'dan', keys: withoutLimits([other]), role: given });
    expect(result).toMatchObject({
      name: 'dan',
      added: [{ fingerprint: other.fingerprint, comment: 'new@desk', addedBy: 'carol', from: null, expiresAt: null }],
      changed: [],
      removed: [],
      note: null,
    });
    expect(await admins()).toEqual([...unchanged, `dan ${expected} new@desk`]);
    expect(stored()).toContain(other.line);
  });

  it('adds a key to an admin, whose role stays', async () => {
    await add({ name: 'vic', keys: withoutLimits([other]) });
    expect(await admins()).toEqual([unchanged[0], 'vic viewer vic@desk new@desk']);
  });

  it('changes nothing for a key that the admin has', async () => {
    const before = stored();
    expect(await add({ name: 'vic', keys: withoutLimits([vics]), role: 'viewer' })).toMatchObject({
      added: [],
      changed: [],
      note: null,
    });
    expect(stored()).toBe(before);
  });

  it('adds an admin without keys, who logs in with a certificate', async () => {
    const { note, admins: all } = await add({ name: 'cert', certificate: true, role: 'operator' });
    expect(note).toBe('added without keys; log in with a certificate');
    expect(all.find(({ name }) => name === 'cert')).toMatchObject({ keys: [], certificate: { lastUse: null } });
  });

  it('allows an admin certificates, and keeps that when a key is added', async () => {
    await add({ name: 'vic', certificate: true });
    const { admins: all } = await add({ name: 'vic', keys: withoutLimits([other]) });
    expect(all.find(({ name }) => name === 'vic')?.certificate).toEqual({ lastUse: null });
  });

  it('limits a key by its options, in whose place an option of the command line comes', async () => {
    const { added } = await add({
      name: 'dan',
      keys: limited('from="192.0.2.0/24",expiry-time="20990101"', other),
      expires: '2098-01-01T00:00:00.000Z',
    });
    expect(added).toMatchObject([{ from: '192.0.2.0/24', expiresAt: '2098-01-01T00:00:00.000Z' }]);
  });

  it('replaces all limits of a key that the admin has, and keeps its origin', async () => {
    const [before] = (await add({ name: 'vic', keys: limited('expiry-time="20990101"', vics) })).changed;
    const { added, changed } = await add({ name: 'vic', keys: withoutLimits([vics]), from: '198.51.100.0/24' });
    expect(added).toEqual([]);
    expect(changed).toEqual([{ ...before, from: '198.51.100.0/24', expiresAt: null }]);
  });

  it.each<[what: string, addition: Parameters<typeof addAdmin>[1]]>([
    ['a key of another admin', { name: 'vic', keys: withoutLimits([other, desk]) }],
    ['a key of another admin for a new one', { name: 'dan', keys: withoutLimits([desk]) }],
    ['another role for an admin', { name: 'vic', keys: withoutLimits([other]), role: 'admin' }],
  ])('refuses %s', async (_, addition) => {
    await refused(() => add(addition), 'exists');
  });

  it('keeps the admins as they were if the file cannot be written', async () => {
    rmSync(stateFile());
    mkdirSync(stateFile());
    await expect(add({ name: 'dan', keys: withoutLimits([other]) })).rejects.toThrow();
    expect(await admins()).toEqual(unchanged);
  });
});

describe('admin role', () => {
  it('changes the role and says what it was', async () => {
    expect((await role('vic', 'operator')).note).toBe('the role is now operator; it was viewer');
    expect(await admins()).toEqual([unchanged[0], 'vic operator vic@desk']);
  });

  it('changes nothing if the admin has the role', async () => {
    const before = stored();
    expect((await role('vic', 'viewer')).note).toBe('the role is already viewer');
    expect(stored()).toBe(before);
  });

  it('demotes an admin if another remains', async () => {
    await role('vic', 'admin');
    await role('carol', 'viewer');
    expect(await admins()).toEqual(['carol viewer carol@desk carol@laptop', 'vic admin vic@desk']);
  });

  it('refuses a name that no admin has', async () => {
    await refused(() => role('zoe', 'viewer'), 'not-found');
  });

  it('refuses to demote the last admin', async () => {
    await refused(() => role('carol', 'operator'), 'last-admin');
  });
});

describe('admin remove', () => {
  it('removes an admin with all keys', async () => {
    expect(await remove('vic')).toMatchObject({ name: 'vic', removed: [{ comment: 'vic@desk' }], note: null });
    expect(await admins()).toEqual([unchanged[0]]);
  });

  it.each([
    ['its fingerprint', laptop.fingerprint],
    ['the beginning of its fingerprint', laptop.fingerprint.slice(0, 20)],
    ['its comment', 'carol@laptop'],
  ])('removes a key by %s', async (_, selector) => {
    expect(await remove(selector)).toMatchObject({ name: 'carol', removed: [{ comment: 'carol@laptop' }] });
    expect(await admins()).toEqual(['carol admin carol@desk', unchanged[1]]);
  });

  it('removes an admin with the last key', async () => {
    expect((await remove(vics.fingerprint)).name).toBe('vic');
    expect(await admins()).toEqual([unchanged[0]]);
  });

  it('keeps an admin who may log in with a certificate when the last key goes', async () => {
    await add({ name: 'vic', certificate: true });
    await remove('vic@desk');
    expect(await admins()).toEqual([unchanged[0], 'vic viewer']);
    expect((await remove('vic')).note).toBe('removed');
    expect(await admins()).toEqual([unchanged[0]]);
  });

  it.each<[what: string, selector: string, code: FailureCode]>([
    ['a name, fingerprint or comment that is unknown', 'zoe', 'not-found'],
    ['a fingerprint that is too short', 'SHA256:abc', 'usage'],
    ['the last admin', 'carol', 'last-admin'],
  ])('refuses %s', async (_, selector, code) => {
    await refused(() => remove(selector), code);
  });

  it('refuses to remove the last key of the last admin', async () => {
    await remove(desk.fingerprint);
    await expect(remove(laptop.fingerprint)).rejects.toMatchObject({ code: 'last-admin' });
    expect(await admins()).toEqual(['carol admin carol@laptop', unchanged[1]]);
  });

  it.each<[what: string, addition: () => Parameters<typeof addAdmin>[1]]>([
    ['certificates', () => ({ name: 'dan', certificate: true })],
    [
      'a key that has expired',
      () => ({ name: 'dan', keys: withoutLimits([other]), expires: new Date(Date.now() - 1000).toISOString() }),
    ],
  ])('does not count an admin who has only %s as the one that remains', async (_, addition) => {
    await add(addition());
    await expect(remove('carol')).rejects.toMatchObject({ code: 'last-admin' });
  });

  it('counts an admin whose key expires later as the one that remains', async () => {
    await add({ name: 'dan', keys: withoutLimits([other]), expires: new Date(Date.now() + 60_000).toISOString() });
    await remove('carol');
    expect(await admins()).toEqual([unchanged[1], 'dan admin new@desk']);
  });
});

describe('admin invite', () => {
  it('invites an admin with a role, without adding one', async () => {
    const { invitation, command, token } = await inviteAdmin(
      world.context,
      { name: 'ivy', role: 'operator' },
      callBy(),
    );
    expect(invitation).toMatchObject({ kind: 'admin', name: 'ivy', role: 'operator', by: 'carol' });
    expect(command).toContain(token);
    expect(await admins()).toEqual(unchanged);
  });

  it('invites an admin to add a key, whose role stays', async () => {
    const { invitation } = await inviteAdmin(world.context, { name: 'vic' }, callBy());
    expect(invitation.role).toBeNull();
    await inviteAdmin(world.context, { name: 'vic', role: 'viewer' }, callBy());
    expect((await listInvitations(world.context)).invitations).toHaveLength(2);
  });

  it('refuses another role for an admin, and leaves no invitation', async () => {
    await refused(() => inviteAdmin(world.context, { name: 'vic', role: 'admin' }, callBy()), 'exists');
    expect(await listInvitations(world.context)).toEqual({ invitations: [] });
  });

  it('ends with the right of its maker to invite', async () => {
    await add({ name: 'dan', keys: withoutLimits([other]) });
    await inviteAdmin(world.context, { name: 'ivy' }, callBy());
    await role('carol', 'operator');
    expect(await listInvitations(world.context)).toEqual({ invitations: [] });
  });
});

describe('an admin who would end their own login', () => {
  const byDan = {
    actor: { name: 'dan', role: 'admin', entryPoint: 'manage', fingerprint: other.fingerprint },
  } as const;
  beforeEach(async () => {
    await add({ name: 'dan', keys: withoutLimits([other]) });
  });

  it.each([
    ['admin remove with their name', () => removeAdmin(world.context, { admin: 'dan' }, byDan)],
    ['admin remove with their key', () => removeAdmin(world.context, { admin: other.fingerprint }, byDan)],
    ['admin role', () => setAdminRole(world.context, { name: 'dan', role: 'viewer' }, byDan)],
  ])('is asked to confirm %s', async (_, change) => {
    const before = stored();
    await expect(change()).rejects.toMatchObject({ code: 'confirmation-required', next: 'add --yes to do it anyway' });
    expect(stored()).toBe(before);
  });

  it('may do it with --yes', async () => {
    await setAdminRole(world.context, { name: 'dan', role: 'operator', yes: true }, byDan);
    await removeAdmin(world.context, { admin: 'dan', yes: true }, byDan);
    expect(await admins()).toEqual(unchanged);
  });

  it('is not asked about others, or about a role that stays', async () => {
    await setAdminRole(world.context, { name: 'dan', role: 'admin' }, byDan);
    await removeAdmin(world.context, { admin: 'vic' }, byDan);
    expect(await admins()).toHaveLength(2);
  });
});

describe('an open invitation', () => {
  const invite = (name: string, to?: 'viewer'): ReturnType<typeof inviteAdmin> =>
    inviteAdmin(world.context, { name, role: to }, callBy({ name: 'root', role: 'root', entryPoint: 'local' }));
  const open = async (): Promise<string[]> =>
    (await listInvitations(world.context)).invitations.map(({ name, role: given }) => `${name} ${given ?? '-'}`);

  it('ends with admin remove of one who has not joined', async () => {
    await invite('ivy');
    expect(await remove('ivy')).toMatchObject({
      name: 'ivy',
      removed: [],
      note: 'had not joined; 1 open invitation was cancelled',
    });
    expect([await open(), await admins()]).toEqual([[], unchanged]);
    await expect(remove('ivy')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('ends with admin remove of one who has joined, and of their last key', async () => {
    await invite('vic');
    expect(await open()).toEqual(['vic -']);
    expect(await remove('vic')).toMatchObject({ note: '1 open invitation was cancelled' });
    expect(await open()).toEqual([]);
    await add({ name: 'vic', keys: withoutLimits([vics]), role: 'viewer' });
    await invite('vic');
    await remove(vics.fingerprint);
    expect(await open()).toEqual([]);
  });

  it('stays if the removal is refused', async () => {
    await invite('carol');
    await expect(remove('carol')).rejects.toMatchObject({ code: 'last-admin' });
    expect(await open()).toEqual(['carol -']);
  });
});

describe('admins that are changed at the same time', () => {
  const dan = withoutLimits([other]);

  it('are both removed, and neither returns with the removal of the other', async () => {
    await add({ name: 'dan', keys: dan });
    await Promise.all([remove('vic'), remove('dan')]);
    expect(await admins()).toEqual([unchanged[0]]);
    expect(stored()).not.toContain('"vic"');
  });

  it('keep a key and a role that they get while another admin is removed', async () => {
    await Promise.all([remove('vic'), add({ name: 'dan', keys: dan, role: 'viewer' }), role('dan', 'operator')]);
    expect(await admins()).toEqual([unchanged[0], 'dan operator new@desk']);
    expect(stored()).toContain('"dan"');
  });

  it('never lose their last one of role admin', async () => {
    await add({ name: 'dan', keys: dan });
    const answers = await Promise.allSettled([remove('carol'), remove('dan')]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(await admins()).toEqual([unchanged[1], 'dan admin new@desk']);
  });
});
