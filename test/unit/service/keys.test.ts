/**
 * `key add`, `key remove`, `key replace`, `key list` and `key invite` on a simulated host: alice has the keys of her
 * desk and her laptop, bob has one key.
 */
import { describe, expect, it, vi } from 'vitest';
import { Failure, type FailureCode } from '../../../src/domain/failure.ts';
import type { PublicKey } from '../../../src/domain/keys/publicKey.ts';
import { withoutLimits } from '../../../src/domain/keys/keyLimits.ts';
import { parseName } from '../../../src/domain/values/username.ts';
import { createContainer } from '../../../src/service/create.ts';
import { cancelInvitation, inviteUser, listInvitations } from '../../../src/service/invitations.ts';
import { addKeys, listKeys, removeKey, replaceKeys } from '../../../src/service/keys.ts';
import type { Fault } from '../../../src/simulated/faults/faults.ts';
import type { HostState, InstanceRecord } from '../../../src/simulated/state/state.ts';
import {
  alice,
  bob,
  callBy,
  changesOf,
  hosts,
  owner,
  refused,
  reportInstances,
  undone,
  whileHeld,
} from '../../support/world/hosts.ts';
import { newKey } from '../../support/world/keys.ts';
import { carol, hostStateOf, type World } from '../../support/world/world.ts';

const desk = newKey('alice@desk');
const laptop = newKey('alice@laptop');
const phone = newKey('alice@phone');
const bobs = newKey('bob@desk');

const host = hosts(async (world) => {
  await world.must('image build');
  await createContainer(world.context, { user: bob, keys: [bobs] }, callBy());
  await createContainer(world.context, { user: alice, keys: [desk, laptop] }, callBy());
});

const instanceIn = ({ instances }: HostState): InstanceRecord => {
  const found = instances['alice-container'];
  if (found === undefined) throw new Error('the host has no container of alice');
  return found;
};

/** Returns the comments of alice's keys in Incus, in her container and at the jump account. They must always agree. */
const everywhere = (world: World): string[] => {
  const state = hostStateOf(world.folder);
  const { config, files } = instanceIn(state);
  const stored = (JSON.parse(config['user.containarium.keys'] ?? '[]') as { line: string }[]).map(({ line }) => line);
  const inFile = (text = ''): string[] => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(inFile(files['/etc/ssh/authorized_keys.d/alice']?.content)).toEqual(stored);
  const [address] = [instanceIn(state).devices['eth0']?.['ipv4.address']];
  expect(inFile(state.jumpKeys['alice'])).toEqual(
    stored.map((line) => `restrict,port-forwarding,permitopen="${address ?? ''}:22" ${line}`),
  );
  return stored.map((line) => line.split(' ')[2] ?? '');
};

const commentsOf = (keys: readonly { comment: string }[]): string[] => keys.map(({ comment }) => comment);
const add = (world: World, keys = [phone], call = callBy()): ReturnType<typeof addKeys> =>
  addKeys(world.context, { user: alice, keys }, call);
const remove = (world: World, key: string, yes?: boolean): ReturnType<typeof removeKey> =>
  removeKey(world.context, { user: alice, key, yes }, callBy());

describe('key list', () => {
  it('lists type, size, comment and origin of each key', async () => {
    const { user, keys } = await listKeys((await host()).context, { user: alice }, callBy());
    expect([user, commentsOf(keys)]).toEqual(['alice', ['alice@desk', 'alice@laptop']]);
    expect(keys[0]).toEqual({
      type: 'ssh-ed25519',
      bits: 256,
      fingerprint: desk.fingerprint,
      comment: 'alice@desk',
      publicKey: desk.line,
      addedAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      addedBy: 'carol',
    });
  });

  it.each([
    ['no JSON', 'no keys here'],
    ['no list of keys', '{"line":"x"}'],
    ['nothing', ''],
  ])('lists no key if Incus has %s in its place', async (_, text) => {
    const world = await host({ edit: (state) => void (instanceIn(state).config['user.containarium.keys'] = text) });
    expect((await listKeys(world.context, { user: alice }, callBy())).keys).toEqual([]);
  });

  it('skips a line that is no key', async () => {
    const text = JSON.stringify([{ line: 'ssh-ed25519 AAAA' }, { line: desk.line }]);
    const world = await host({ edit: (state) => void (instanceIn(state).config['user.containarium.keys'] = text) });
    expect(commentsOf((await listKeys(world.context, { user: alice }, callBy())).keys)).toEqual(['alice@desk']);
  });

  it.each<[what: string, user: string | undefined, by: Parameters<typeof callBy>[0], code: FailureCode]>([
    ['a user without a container', 'zoe', carol, 'not-found'],
    ['no user at manage@', undefined, carol, 'usage'],
    ['the container of another user at self@', 'bob', owner(alice), 'not-found'],
    ['no user at self@ where the key opens several containers', undefined, owner(alice, bob), 'usage'],
    ['a key that opens no container any more', undefined, owner(), 'not-found'],
  ])('refuses %s', async (_, user, by, code) => {
    const world = await host();
    const request = { user: user === undefined ? undefined : parseName(user) };
    expect((await refused(world, () => listKeys(world.context, request, callBy(by)))).code).toBe(code);
  });

  it('finds the only container of the caller at self@', async () => {
    const world = await host();
    expect((await listKeys(world.context, {}, callBy(owner(bob)))).user).toBe('bob');
  });
});

describe('key add', () => {
  it('adds a key in Incus, in the container and at the jump account', async () => {
    const world = await host();
    const { keys, ...result } = await add(world);
    expect(result).toMatchObject({
      user: 'alice',
      added: [{ comment: 'alice@phone', addedBy: 'carol' }],
      removed: [],
      operation: expect.stringMatching(/^[0-9A-Z]{26}$/) as string,
      warnings: [],
    });
    expect(commentsOf(keys)).toEqual(['alice@desk', 'alice@laptop', 'alice@phone']);
    expect(everywhere(world)).toEqual(commentsOf(keys));
    expect(await world.faults()).toEqual([]);
  });

  it('adds only the keys that are new, and keeps the others as they were', async () => {
    const world = await host();
    const before = await listKeys(world.context, { user: alice }, callBy());
    const { added, keys, warnings } = await add(world, [laptop, phone, desk], callBy({ ...carol, name: 'dan' }));
    expect([commentsOf(added), warnings]).toEqual([['alice@phone'], []]);
    expect(keys.slice(0, 2)).toEqual(before.keys);
  });

  it('makes no operation for keys that the user has', async () => {
    const world = await host();
    expect(await add(world, [laptop])).toMatchObject({ added: [], removed: [], operation: null, warnings: [] });
    expect(changesOf(world)).toEqual([]);
  });

  it('warns of a key that opens the container of another user, and adds it', async () => {
    const { added, warnings } = await add(await host(), [bobs]);
    expect(commentsOf(added)).toEqual(['bob@desk']);
    expect(warnings).toEqual([`the key ${bobs.fingerprint} also opens the container of bob`]);
  });

  it('adds to the only container of the caller at self@, in the name of its owner and not of an admin called so', async () => {
    const world = await host();
    const { user, added } = await addKeys(world.context, { keys: [phone] }, callBy(owner(alice)));
    expect([user, added[0]?.addedBy]).toEqual(['alice', 'alice (self@)']);
  });

  it('warns no owner of a key that opens the container of another user', async () => {
    const { added, warnings } = await addKeys((await host()).context, { keys: [bobs] }, callBy(owner(alice)));
    expect([commentsOf(added), warnings]).toEqual([['bob@desk'], []]);
  });

  it('adds to a stopped container', async () => {
    const world = await host({ edit: (state) => void (instanceIn(state).run = null) });
    await add(world);
    expect(everywhere(world)).toHaveLength(3);
  });

  it('keeps both keys of two calls, one of which is told to wait', async () => {
    const world = await host();
    const both = await Promise.allSettled([add(world), add(world, [bobs])]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await add(world, [phone, bobs]);
    expect(everywhere(world).sort()).toEqual(['alice@desk', 'alice@laptop', 'alice@phone', 'bob@desk']);
  });
});

describe('key remove', () => {
  it.each([
    ['its fingerprint', laptop.fingerprint],
    ['the beginning of its fingerprint', laptop.fingerprint.slice(0, 'SHA256:'.length + 10)],
    ['its comment', 'alice@laptop'],
  ])('removes a key by %s', async (_, selector) => {
    const world = await host();
    const { removed, operation } = await remove(world, selector);
    expect(commentsOf(removed)).toEqual(['alice@laptop']);
    expect(operation).not.toBeNull();
    expect(everywhere(world)).toEqual(['alice@desk']);
    expect(await world.faults()).toEqual([]);
  });

  it('closes the jump account before it changes anything else', async () => {
    const world = await host();
    await remove(world, 'alice@desk');
    expect(changesOf(world)[0]).toBe('jump-keys write alice');
  });

  it('ends the connections of the user through the host, once the jump account has lost the key', async () => {
    const world = await host();
    const end = vi.spyOn(world.context.accounts, 'endSessions').mockImplementation((user) => {
      expect([user, hostStateOf(world.folder).jumpKeys['alice']?.includes(desk.base64)]).toEqual(['alice', false]);
      return Promise.resolve(true);
    });
    expect(await remove(world, 'alice@desk')).toMatchObject({ connectionsEnded: true, warnings: [] });
    expect(end).toHaveBeenCalledTimes(1);
  });

  it.each<[what: string, failure: Failure]>([
    [
      'is missing',
      new Failure('program-missing', { what: '"pkill"', why: 'this program is not installed on the host' }),
    ],
    ['hangs', new Failure('timeout', { what: '"pkill -KILL"', why: 'it did not end within 30 s and was stopped' })],
  ])('removes the key although pkill %s, and says that connections may still be open', async (_, failure) => {
    const world = await host();
    vi.spyOn(world.context.accounts, 'endSessions').mockRejectedValue(failure);
    const { connectionsEnded, warnings } = await remove(world, 'alice@desk');
    expect(connectionsEnded).toBe(false);
    expect(warnings).toEqual([
      expect.stringMatching(/^connections of alice through the host may still be open: .*: pkill -KILL -u alice$/),
    ]);
    expect(everywhere(world)).toEqual(['alice@laptop']);
    expect(await world.faults()).toEqual([]);
  });

  it('never ends the processes of an account that it did not create', async () => {
    const world = await host({
      edit: ({ accounts }) => {
        for (const account of accounts) if (account.name === 'alice') account.comment = 'Alice, a person';
      },
    });
    expect(await remove(world, 'alice@desk')).toMatchObject({ connectionsEnded: false, warnings: [] });
    expect(changesOf(world).filter((command) => command.startsWith('pkill'))).toEqual([]);
  });

  it('removes every key with the comment', async () => {
    const world = await host();
    await replaceKeys(world.context, { user: alice, keys: [newKey('same'), desk, newKey('same')] }, callBy());
    expect((await remove(world, 'same')).removed).toHaveLength(2);
    expect(everywhere(world)).toEqual(['alice@desk']);
  });

  it('removes the last key if it is told to, so that nobody can log in', async () => {
    const world = await host();
    await remove(world, 'alice@desk');
    expect(await remove(world, 'alice@laptop', true)).toMatchObject({ keys: [] });
    expect(everywhere(world)).toEqual([]);
    expect(await world.faults()).toEqual([]);
  });

  it.each<[what: string, selector: string, code: FailureCode, why: string]>([
    ['a comment that no key has', 'alice@phone', 'not-found', 'no key has this fingerprint or comment'],
    ['the key of another user', bobs.fingerprint, 'not-found', 'no key has this fingerprint or comment'],
    ['a fingerprint that is too short', 'SHA256:abc', 'usage', 'fewer than 8 characters after SHA256:'],
  ])('refuses %s', async (_, selector, code, why) => {
    const world = await host();
    expect(await refused(world, () => remove(world, selector))).toMatchObject({ code, why });
  });

  it('refuses to remove the last key without --yes', async () => {
    const world = await host();
    await remove(world, 'alice@desk');
    expect(await refused(world, () => remove(world, laptop.fingerprint))).toMatchObject({
      code: 'last-key',
      next: 'add another key first, or add --yes',
    });
    expect(everywhere(world)).toEqual(['alice@laptop']);
  });
});

describe('key replace', () => {
  it('ends the connections of the user only if a key went away', async () => {
    const world = await host();
    const end = vi.spyOn(world.context.accounts, 'endSessions').mockResolvedValue(true);
    const replace = (keys: readonly PublicKey[]): ReturnType<typeof replaceKeys> =>
      replaceKeys(world.context, { user: alice, keys }, callBy());
    expect((await replace([desk, laptop, phone])).connectionsEnded).toBe(false);
    expect(end).not.toHaveBeenCalled();
    expect((await replace([desk, laptop])).connectionsEnded).toBe(true);
  });

  it('leaves only the new keys, and keeps the origin of those that stay', async () => {
    const world = await host();
    const before = await listKeys(world.context, { user: alice }, callBy());
    const call = callBy({ ...carol, name: 'dan' });
    const { added, removed, keys } = await replaceKeys(world.context, { user: alice, keys: [phone, laptop] }, call);
    expect([commentsOf(added), commentsOf(removed)]).toEqual([['alice@phone'], ['alice@desk']]);
    expect(keys).toEqual([expect.objectContaining({ comment: 'alice@phone', addedBy: 'dan' }), before.keys[1]]);
    expect(everywhere(world)).toEqual(['alice@phone', 'alice@laptop']);
  });

  it('makes no operation for the same keys', async () => {
    const world = await host();
    const { operation } = await replaceKeys(world.context, { user: alice, keys: [desk, laptop] }, callBy());
    expect(operation).toBeNull();
    expect(changesOf(world)).toEqual([]);
  });

  it('warns of a key that opens the container of another user', async () => {
    const { warnings } = await replaceKeys((await host()).context, { user: alice, keys: [bobs] }, callBy());
    expect(warnings).toEqual([`the key ${bobs.fingerprint} also opens the container of bob`]);
  });
});

describe('a change of keys is refused, and changes nothing,', () => {
  it.each<[what: string, edit: (state: HostState) => void, code: FailureCode]>([
    ['without a container', (state) => delete state.instances['alice-container'], 'not-found'],
    [
      'if containarium did not create the instance',
      (state) => delete instanceIn(state).config['user.containarium.owner'],
      'not-found',
    ],
    [
      'if an operation left the container unfinished',
      (state) => void (instanceIn(state).config['user.containarium.state'] = 'deleting'),
      'wrong-state',
    ],
  ])('%s', async (_, edit, code) => {
    const world = await host({ edit });
    expect((await refused(world, () => add(world))).code).toBe(code);
  });

  it('while another operation holds the container', async () => {
    const world = await host();
    expect((await refused(world, () => whileHeld(world, 'alice', () => add(world)))).code).toBe('busy');
  });

  it('if the container has no fixed address', async () => {
    const world = await host();
    reportInstances(world, ({ state: _, ...instance }) => ({ ...instance, devices: {} }));
    expect(await refused(world, () => add(world))).toMatchObject({
      code: 'wrong-state',
      why: 'it has no fixed address',
      next: '"info alice" shows its state',
    });
  });

  it('for the container of another user at self@, in the words for an unknown user', async () => {
    const world = await host();
    const by = callBy(owner(bob));
    const failures = await Promise.all(
      ['alice', 'zoe'].map((user) =>
        refused(world, () => addKeys(world.context, { user: parseName(user), keys: [phone] }, by)),
      ),
    );
    expect(failures.map(({ code, why, next }) => [code, why, next])).toEqual(
      Array.from({ length: 2 }, () => ['not-found', 'no such container', undefined]),
    );
  });
});

describe('key add is undone everywhere if', () => {
  it.each<[what: string, match: NonNullable<Fault['match']>, mode: Fault['mode'], code: FailureCode]>([
    ['the jump account fails', { program: 'jump-keys', changes: true }, 'fail-after', 'program-failed'],
    ['the file in the container fails', { argIncludes: 'push' }, 'fail-after', 'program-failed'],
    ['the file in the container hangs', { argIncludes: 'push' }, 'hang', 'timeout'],
    ['Incus refuses the keys', { argIncludes: 'PATCH' }, 'fail-before', 'program-failed'],
    ['Incus stores the keys and its client fails', { argIncludes: 'PATCH' }, 'fail-after', 'program-failed'],
    ['Incus ends', { argIncludes: 'PATCH' }, 'down', 'incus-unavailable'],
  ])('%s', async (_, match, mode, code) => {
    const world = await host({ faults: [{ match, mode }] });
    expect((await undone(world, () => add(world))).code).toBe(code);
    expect(everywhere(world)).toEqual(['alice@desk', 'alice@laptop']);
    expect(await world.faults()).toEqual([]);
  });

  it('the jump account had no keys, and leaves it without', async () => {
    const world = await host({
      edit: (state) => delete state.jumpKeys['alice'],
      faults: [{ match: { argIncludes: 'PATCH' }, mode: 'fail-before' }],
    });
    await undone(world, () => add(world));
    expect(hostStateOf(world.folder).jumpKeys).not.toHaveProperty('alice');
  });
});

describe('key invite', () => {
  const root = callBy({ name: 'root', role: 'root', entryPoint: 'local' }, { reachedAt: undefined });

  it('makes a login name for ten minutes, of which only the hash is kept', async () => {
    const world = await host();
    const { invitation, token, command } = await inviteUser(world.context, { user: alice }, root);
    expect(invitation).toMatchObject({ kind: 'user', name: 'alice', role: null, by: 'root' });
    const leftMs = Date.parse(invitation.expiresAt) - Date.now();
    expect(leftMs > 590_000 && leftMs <= 600_000).toBe(true);
    expect(command).toMatch(/^ssh -p 2222 \S+@JUMP-HOST$/);
    expect(command).toContain(token);
    expect(await listInvitations(world.context)).toEqual({ invitations: [invitation] });
    expect(JSON.stringify(world.context.invitations.all)).not.toContain(token);
    expect(changesOf(world)).toEqual([]);
  });

  it.each<[what: string, hostname: string | undefined, reachedAt: string | undefined, end: string]>([
    ['the host name of the settings', 'jump.example.org', '198.51.100.1', '@jump.example.org'],
    ['the address that its maker reached', undefined, '198.51.100.1', '@198.51.100.1'],
  ])('names %s', async (_, hostname, reachedAt, end) => {
    const world = await host({ settings: { jump: { hostKeys: [], ...(hostname === undefined ? {} : { hostname }) } } });
    const { command } = await inviteUser(world.context, { user: alice }, { ...root, reachedAt });
    expect(command.endsWith(end)).toBe(true);
  });

  it('refuses a user without a container', async () => {
    const world = await host();
    const failure = await refused(world, () => inviteUser(world.context, { user: parseName('zoe') }, root));
    expect(failure.code).toBe('not-found');
    expect(await listInvitations(world.context)).toEqual({ invitations: [] });
  });

  it('refuses an admin who may not invite, and leaves no invitation that a later right would open', async () => {
    const world = await host();
    const failure = await refused(world, () => inviteUser(world.context, { user: alice }, callBy()));
    expect(failure.code).toBe('denied');
    await world.admins.add('carol', { keys: withoutLimits([desk]), role: 'admin' }, 'test', new Date());
    expect(await listInvitations(world.context)).toEqual({ invitations: [] });
  });

  it('does not open the next container of the same user', async () => {
    const world = await host();
    const container = (await world.context.incus.instance('alice-container'))?.created_at ?? '';
    const use = (of: string): ReturnType<typeof addKeys> =>
      addKeys(world.context, { user: alice, keys: [phone], invited: { container: of, by: undefined } }, callBy());
    expect(await refused(world, () => use('2020-01-01T00:00:00Z'))).toMatchObject({ code: 'denied' });
    expect(await use(container)).toMatchObject({ added: [{ comment: 'alice@phone' }] });
  });

  it('is cancelled by its id, or with all others by the name that they are for', async () => {
    const world = await host();
    const invite = async (user = alice) => (await inviteUser(world.context, { user }, root)).invitation;
    const [first, second, third, ofBob] = [await invite(), await invite(), await invite(), await invite(bob)];
    const cancel = (invitation: string): ReturnType<typeof cancelInvitation> =>
      cancelInvitation(world.context, { invitation });
    expect(await cancel(first.id)).toEqual({ cancelled: [first] });
    expect(await cancel('alice')).toEqual({ cancelled: [second, third] });
    expect(await listInvitations(world.context)).toEqual({ invitations: [ofBob] });
    await expect(cancel('alice')).rejects.toMatchObject({ code: 'not-found', next: 'see "invite list"' });
  });
});
