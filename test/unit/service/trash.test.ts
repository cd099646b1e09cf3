/** `delete` into the trash, and back, on a simulated host with the containers of alice and bob. */
import { describe, expect, it } from 'vitest';
import { parseName } from '../../../src/domain/values/username.ts';
import { createContainer } from '../../../src/service/create.ts';
import { deleteContainer } from '../../../src/service/delete.ts';
import { promiseAddress } from '../../../src/service/instances/addresses.ts';
import { instanceOf, toContainer } from '../../../src/service/instances/containers.ts';
import { createSnapshot } from '../../../src/service/snapshots.ts';
import { listTrash, purgeTrash, restoreFromTrash } from '../../../src/service/trash.ts';
import type { HostState } from '../../../src/simulated/state/state.ts';
import { alice, bob, callBy, changesOf, hosts, refused, undone } from '../../support/world/hosts.ts';
import { newKey } from '../../support/world/keys.ts';
import { snapshot } from '../../support/world/snapshot.ts';
import { hostStateOf, type World } from '../../support/world/world.ts';

const host = hosts(async (world) => {
  await world.must('image build');
  for (const user of [bob, alice])
    await createContainer(world.context, { user, keys: [newKey(`${user}@desk`)] }, callBy());
  await createSnapshot(world.context, { user: alice, name: 'kept' }, callBy());
});

const remove = (world: World): ReturnType<typeof deleteContainer> =>
  deleteContainer(world.context, { user: alice }, callBy());
const restore = (world: World, name?: string): ReturnType<typeof restoreFromTrash> =>
  restoreFromTrash(world.context, { user: alice, name }, callBy());
const create = (world: World): ReturnType<typeof createContainer> =>
  createContainer(world.context, { user: alice, keys: [newKey('alice@new')] }, callBy());
const trashed = async (world: World): ReturnType<typeof listTrash> => listTrash(world.context, {}, callBy());

/** Returns the state without what every run of a container changes. */
function settled(state: HostState): string {
  const text = snapshot(state);
  return text.replaceAll(/"?(ranMs|lastUsedAtMs|startedAtMs|pid)"?: \d+,?/g, '');
}

describe('a deleted container', () => {
  it('has no account, no keys and no address, and is kept for a week', async () => {
    const world = await host();
    const { trash, freedBytes } = await remove(world);
    expect(freedBytes).toBeNull();
    const state = hostStateOf(world.folder);
    expect(state.jumpKeys['alice']).toBeUndefined();
    expect(state.accounts.some(({ name }) => name === 'alice')).toBe(false);
    const kept = state.instances[trash?.name ?? ''];
    expect(kept).toMatchObject({ run: null, devices: { eth0: { type: 'none' } } });
    expect(kept?.config).toMatchObject({ 'boot.autostart': 'false' });
    expect(kept?.config['user.containarium.owner']).toBeUndefined();
    const [listed] = (await trashed(world)).trashed;
    expect(listed).toMatchObject({ user: 'alice', deletedBy: 'carol', snapshots: 1, name: trash?.name });
    expect(Date.parse(listed?.until ?? '') - Date.parse(listed?.deletedAt ?? '')).toBe(7 * 86_400_000);
    expect(await world.faults()).toEqual([]);
  });

  it('loses its account before it is stopped', async () => {
    const world = await host();
    await remove(world);
    const changes = changesOf(world).map((command) => command.split(' ').slice(0, 2).join(' '));
    expect(changes.indexOf('userdel alice')).toBeGreaterThan(changes.indexOf('jump-keys remove'));
    expect(changes.indexOf('incus stop')).toBeGreaterThan(changes.indexOf('userdel alice'));
    expect(changes.at(-1)).toBe('incus rename');
  });

  it('is restored as it was, running, with account, keys, address and snapshots', async () => {
    const world = await host();
    const before = hostStateOf(world.folder);
    await remove(world);
    const result = await restore(world);
    expect(result).toMatchObject({ status: 'running', isNewAddress: false });
    const after = hostStateOf(world.folder);
    const account = after.accounts.find(({ name }) => name === 'alice');
    expect(account?.comment).toContain(result.operation);
    for (const state of [before, after]) for (const one of state.accounts) if (one.name === 'alice') one.comment = '';
    expect(settled(after)).toBe(settled(before));
    expect(await world.faults()).toEqual([]);
    expect((await trashed(world)).trashed).toEqual([]);
  });

  it('is not started by a restore if it was stopped when it was deleted', async () => {
    const world = await host({
      edit: ({ instances }) => {
        const found = instances['alice-container'];
        if (found !== undefined) found.run = null;
      },
    });
    await remove(world);
    expect(await restore(world)).toMatchObject({ status: 'stopped' });
  });

  it('gets another address if its own was given away, written into it, and keeps the limits of its network', async () => {
    const world = await host({
      edit: ({ instances }) => {
        const eth0 = instances['alice-container']?.devices['eth0'] ?? expect.fail('no NIC');
        Object.assign(eth0, { 'limits.egress': '5Mbit' });
      },
    });
    const { trash } = await remove(world);
    const own = toContainer(await instanceOf(world.context, bob)).address;
    const record = hostStateOf(world.folder).instances[trash?.name ?? '']?.config['user.containarium.trashed'] ?? '';
    // As if the address of bob had been that of alice.
    const { before } = JSON.parse(record) as { before: { devices: { eth0: Record<string, string> } } };
    const old = before.devices.eth0['ipv4.address'] ?? '';
    await world.context.incus.patch(trash?.name ?? '', {
      config: { 'user.containarium.trashed': record.replaceAll(old, own ?? '') },
    });
    const result = await restore(world);
    expect(result.isNewAddress).toBe(true);
    expect(result.address).not.toBe(own);
    const found = hostStateOf(world.folder).instances['alice-container'];
    expect(found?.devices['eth0']).toMatchObject({ 'ipv4.address': result.address, 'limits.egress': '5Mbit' });
    expect(found?.config['user.containarium.address']).toBe(`${result.address}/24`);
    expect(await world.faults()).toEqual([]);
  });

  it('leaves its name to a new container, whose creator is told, and its address to it only if no other is free', async () => {
    const world = await host();
    const old = toContainer(await instanceOf(world.context, alice)).address;
    const { trash } = await remove(world);
    const { container, warnings } = await create(world);
    expect(container.address).not.toBe(old);
    expect(warnings.join()).toContain('was deleted is in the trash');
    expect(await refused(world, () => restore(world))).toMatchObject({
      code: 'exists',
      next: expect.stringContaining('"delete alice"') as string,
    });
    const second = await remove(world);
    expect(await refused(world, () => restore(world))).toMatchObject({
      code: 'usage',
      next: expect.stringContaining(`${trash?.name ?? ''}, ${second.trash?.name ?? ''}`) as string,
    });
    expect(await restore(world, trash?.name)).toMatchObject({ address: old });
    expect((await trashed(world)).trashed).toMatchObject([{ name: second.trash?.name }]);
  });

  it('gives its address to a new container if no other is free', async () => {
    const world = await host();
    const all = new Set(Array.from({ length: 254 }, (_, index) => `10.0.3.${index + 1}`));
    const placement = { gateway: '10.0.3.1/24', network: 'incusbr0' };
    const { address, release } = await promiseAddress(world.context.incus, placement, { avoid: all });
    release();
    expect(all).toContain(address);
  });

  it('is whole again if a step of the deletion fails', async () => {
    const world = await host({ faults: [{ match: { argIncludes: 'rename' }, mode: 'fail-after' }] });
    expect(await undone(world, () => remove(world))).toMatchObject({ code: 'program-failed' });
    expect(await world.faults()).toEqual([]);
  });

  it('stays in the trash if a step of the restore fails', async () => {
    const world = await host();
    await remove(world);
    const before = snapshot(hostStateOf(world.folder));
    await world.context.accounts.ensureGroup('containarium-jump');
    const start = world.context.incus.start.bind(world.context.incus);
    world.context.incus.start = () => Promise.reject(new Error('it does not start'));
    await expect(restore(world)).rejects.toThrow('it does not start');
    world.context.incus.start = start;
    expect(snapshot(hostStateOf(world.folder))).toBe(before);
    expect(await world.faults()).toEqual([]);
    expect(await restore(world)).toMatchObject({ status: 'running' });
  });
});

describe('a purge', () => {
  it('deletes a container in the trash for good', async () => {
    const world = await host();
    await remove(world);
    const { freedBytes } = await purgeTrash(world.context, { user: alice }, callBy());
    expect(freedBytes).toBeGreaterThan(0);
    expect(Object.keys(hostStateOf(world.folder).instances)).toEqual(['bob-container']);
    expect(await refused(world, () => restore(world))).toMatchObject({ code: 'not-found' });
    expect(await world.faults()).toEqual([]);
  });

  it('never deletes a container that is not in the trash', async () => {
    const world = await host();
    const request = { user: bob, name: 'bob-container' };
    const failure = await refused(world, () => purgeTrash(world.context, request, callBy()));
    expect(failure.code).toBe('not-found');
  });

  it('does not believe the record on an instance of another name', async () => {
    const world = await host();
    const { trash } = await remove(world);
    const kept = hostStateOf(world.folder).instances[trash?.name ?? ''];
    const record = kept?.config['user.containarium.trashed'] ?? '';
    await world.context.incus.patch('bob-container', { config: { 'user.containarium.trashed': record } });
    expect((await trashed(world)).trashed).toHaveLength(1);
    await purgeTrash(world.context, { user: parseName('alice') }, callBy());
    expect(Object.keys(hostStateOf(world.folder).instances)).toEqual(['bob-container']);
  });
});
