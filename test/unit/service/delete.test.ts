/** `delete --purge` on a simulated host with the containers of alice, who has an account and keys, and of bob. */
import { describe, expect, it } from 'vitest';
import type { FailureCode } from '../../../src/domain/failure.ts';
import { parseName } from '../../../src/domain/values/username.ts';
import { createContainer } from '../../../src/service/create.ts';
import { deleteContainer } from '../../../src/service/delete.ts';
import { restartContainer } from '../../../src/service/power.ts';
import type { Fault } from '../../../src/simulated/faults/faults.ts';
import type { HostState } from '../../../src/simulated/state/state.ts';
import {
  alice,
  bob,
  callBy,
  changesOf,
  hosts,
  refused,
  undone,
  whileHeld,
  type HostOptions,
} from '../../support/world/hosts.ts';
import { newKey } from '../../support/world/keys.ts';
import { snapshot } from '../../support/world/snapshot.ts';
import { hostStateOf, type World } from '../../support/world/world.ts';

let withoutAlice = '';
const host = hosts(async (world) => {
  await world.must('image build');
  await createContainer(world.context, { user: bob, keys: [newKey('bob@desk')] }, callBy());
  withoutAlice = snapshot(hostStateOf(world.folder));
  await createContainer(world.context, { user: alice, keys: [newKey('alice@desk')] }, callBy());
});

const remove = (world: World, user = alice): ReturnType<typeof deleteContainer> =>
  deleteContainer(world.context, { user, purge: true }, callBy());

const stop = (state: HostState): void => {
  const found = state.instances['alice-container'];
  if (found !== undefined) found.run = null;
};

const configure = (key: string, value: string) => (state: HostState) => {
  const found = state.instances['alice-container'];
  if (found !== undefined) found.config[key] = value;
};

describe('delete --purge', () => {
  it('removes the container, its jump account and its keys, and nothing else', async () => {
    const world = await host();
    const result = await remove(world);
    expect(result).toEqual({
      user: 'alice',
      container: 'alice-container',
      freedBytes: expect.any(Number) as number,
      trash: null,
      backup: null,
      operation: expect.stringMatching(/^[0-9A-Z]{26}$/) as string,
    });
    expect(result.freedBytes).toBeGreaterThan(0);
    expect(snapshot(hostStateOf(world.folder))).toBe(withoutAlice);
    expect(await world.faults()).toEqual([]);
  });

  it('closes the jump account and ends its sessions before it stops the container', async () => {
    const world = await host();
    await remove(world);
    expect(changesOf(world).map((command) => command.split(' ').slice(0, 2).join(' '))).toEqual([
      'incus query',
      'jump-keys remove',
      'pkill -KILL',
      'pkill -KILL',
      'userdel alice',
      'incus stop',
      'incus query',
      'incus delete',
    ]);
  });

  it('empties the console log of the stopped container, which Incus would keep', async () => {
    const world = await host();
    await remove(world);
    expect(changesOf(world).at(-2)).toBe('incus query --request DELETE /1.0/instances/alice-container/console');
  });

  it.each<Fault['mode']>(['fail-before', 'hang'])(
    'succeeds if the console log cannot be emptied (%s)',
    async (mode) => {
      const world = await host({ faults: [{ match: { argIncludes: 'DELETE' }, mode }] });
      await remove(world);
      expect(snapshot(hostStateOf(world.folder))).toBe(withoutAlice);
      expect(await world.faults()).toEqual([]);
    },
  );

  it('does not stop a stopped container', async () => {
    const world = await host({ edit: stop });
    await remove(world);
    expect(changesOf(world).filter((command) => command.startsWith('incus stop'))).toEqual([]);
    expect(snapshot(hostStateOf(world.folder))).toBe(withoutAlice);
  });

  it('removes a container whose jump account and keys are already gone', async () => {
    const world = await host({
      edit: (state) => {
        state.accounts = state.accounts.filter(({ name }) => name !== 'alice');
        delete state.jumpKeys['alice'];
      },
    });
    await remove(world);
    expect(changesOf(world).some((command) => /^(userdel|pkill|jump-keys)/.test(command))).toBe(false);
    expect(snapshot(hostStateOf(world.folder))).toBe(withoutAlice);
  });

  it('leaves an account of the same name that it did not create', async () => {
    const world = await host({
      edit: (state) => {
        for (const account of state.accounts) if (account.name === 'alice') account.comment = 'Alice, a person';
      },
    });
    await remove(world);
    const { accounts, instances } = hostStateOf(world.folder);
    expect(accounts.find(({ name }) => name === 'alice')?.comment).toBe('Alice, a person');
    expect(instances['alice-container']).toBeUndefined();
  });

  it.each<Fault['mode']>(['fail-after', 'hang-after', 'fail-late', 'hang-late'])(
    'succeeds if Incus deletes the container although its client ends with %s',
    async (mode) => {
      const world = await host({ faults: [{ match: { program: 'incus', argIncludes: 'delete' }, call: 1, mode }] });
      await remove(world);
      expect(snapshot(hostStateOf(world.folder))).toBe(withoutAlice);
      expect(await world.faults()).toEqual([]);
    },
  );
});

describe('delete --purge refuses, and changes nothing,', () => {
  it.each<[what: string, code: FailureCode, why: string, user: string, options: HostOptions]>([
    ['a user without a container', 'not-found', 'no such container', 'zoe', {}],
    [
      'an instance that it did not create',
      'not-found',
      'no such container',
      'alice',
      { edit: configure('user.containarium.owner', '') },
    ],
    [
      'a copy of the container of another user',
      'not-found',
      'no such container',
      'alice',
      { edit: configure('user.containarium.owner', 'bob') },
    ],
    [
      'a container that a create left unfinished',
      'wrong-state',
      'an operation on it was left unfinished (creating)',
      'alice',
      { edit: configure('user.containarium.state', 'creating') },
    ],
    [
      'a container that a delete left unfinished',
      'wrong-state',
      'an operation on it was left unfinished (deleting)',
      'alice',
      { edit: configure('user.containarium.state', 'deleting') },
    ],
    [
      'a container while the accounts cannot be listed',
      'program-failed',
      'simulated fault',
      'alice',
      { faults: [{ match: { program: 'getent' }, mode: 'fail-before' }] },
    ],
  ])('%s', async (_, code, why, user, options) => {
    const world = await host(options);
    expect(await refused(world, () => remove(world, parseName(user)))).toMatchObject({ code, why });
  });

  it('a container that another operation holds', async () => {
    const world = await host();
    const failure = await refused(world, () => whileHeld(world, 'alice', () => remove(world)));
    expect(failure).toMatchObject({ code: 'busy', what: '"alice"' });
  });
});

describe('delete --purge restores the container, its account and its keys if', () => {
  it.each<[what: string, match: NonNullable<Fault['match']>, mode: Fault['mode'], code: FailureCode]>([
    ['the container cannot be marked', { argIncludes: '"deleting"' }, 'fail-after', 'program-failed'],
    ['the keys cannot be removed', { program: 'jump-keys', changes: true }, 'fail-after', 'program-failed'],
    ['the container cannot be stopped', { argIncludes: 'stop' }, 'fail-before', 'program-failed'],
    ['Incus stops the container after its client has failed', { argIncludes: 'stop' }, 'fail-late', 'program-failed'],
    ['the sessions of the account cannot be ended', { program: 'pkill' }, 'hang', 'timeout'],
    ['the account is removed by a program that hangs', { program: 'userdel' }, 'hang-after', 'timeout'],
    ['Incus ends before it deletes the container', { argIncludes: 'delete' }, 'down', 'incus-unavailable'],
    ['Incus cannot delete the container', { argIncludes: 'delete' }, 'fail-before', 'program-failed'],
  ])('%s', async (_, match, mode, code) => {
    const world = await host({ faults: [{ match, mode }] });
    expect((await undone(world, () => remove(world))).code).toBe(code);
    expect(await world.faults()).toEqual([]);
    await remove(world);
    expect(snapshot(hostStateOf(world.folder))).toBe(withoutAlice);
  });

  it('it was stopped, and leaves it stopped', async () => {
    const world = await host({ edit: stop, faults: [{ match: { argIncludes: 'delete' }, mode: 'fail-before' }] });
    await undone(world, () => remove(world));
    expect(hostStateOf(world.folder).instances['alice-container']?.run).toBeNull();
  });

  it('the host recovers, where it cannot undo the change at once', async () => {
    const world = await host({
      faults: [
        { match: { argIncludes: 'delete' }, mode: 'fail-before' },
        ...Array.from({ length: 3 }, (): Fault => ({
          match: { argIncludes: 'start', changes: true },
          mode: 'down',
        })),
      ],
    });
    const before = snapshot(hostStateOf(world.folder));
    await expect(remove(world)).rejects.toMatchObject({ code: 'partial', what: '"delete alice"' });
    await expect(restartContainer(world.context, { user: alice }, callBy())).rejects.toMatchObject({ code: 'busy' });
    await world.recover();
    expect(snapshot(hostStateOf(world.folder))).toBe(before);
    expect(await world.faults()).toEqual([]);
  });
});
