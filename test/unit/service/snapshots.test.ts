/** The verbs about snapshots on a simulated host with the running container of alice. */
import { describe, expect, it } from 'vitest';
import { createContainer } from '../../../src/service/create.ts';
import { addKeys, removeKey } from '../../../src/service/keys.ts';
import { deleteContainer } from '../../../src/service/delete.ts';
import { listContainers } from '../../../src/service/list.ts';
import { stopContainer } from '../../../src/service/power.ts';
import { reconcile } from '../../../src/service/reconcile.ts';
import { resizeContainer } from '../../../src/service/resize.ts';
import { restoreSnapshot } from '../../../src/service/restore.ts';
import {
  createSnapshot,
  deleteSnapshot,
  listSnapshots,
  renameSnapshot,
  scheduleSnapshots,
} from '../../../src/service/snapshots.ts';
import type { HostState, InstanceRecord } from '../../../src/simulated/state/state.ts';
import { alice, callBy, hosts, owner, refused, whileHeld } from '../../support/world/hosts.ts';
import { newKey } from '../../support/world/keys.ts';
import { hostStateOf, type World } from '../../support/world/world.ts';

const host = hosts(async (world) => {
  await world.must('image build');
  await createContainer(world.context, { user: alice, keys: [newKey('alice@desk')] }, callBy());
});

const her = owner(alice);
const path = '/home/alice/notes';

const instanceIn = (world: World): InstanceRecord => {
  const found = hostStateOf(world.folder).instances['alice-container'];
  if (found === undefined) throw new Error('the host has no container of alice');
  return found;
};
const write = (world: World, content: string): Promise<void> =>
  world.context.incus.pushFile({ instance: 'alice-container', path, content, mode: '0644' });
const notes = (world: World): string | undefined => instanceIn(world).files[path]?.content;
const make = (world: World, name: string) => createSnapshot(world.context, { user: alice, name }, callBy());
const restore = (world: World, snapshot: string) => restoreSnapshot(world.context, { user: alice, snapshot }, callBy());
const names = async (world: World): Promise<string[]> =>
  (await listSnapshots(world.context, { user: alice }, callBy())).snapshots.map(({ name }) => name);

describe('a new snapshot', () => {
  it('is listed with its origin, without an end unless one is given, and shows in "list"', async () => {
    const world = await host();
    const made = await make(world, 'first');
    expect(made).toMatchObject({ container: 'alice-container', snapshot: { name: 'first', origin: 'manual' } });
    expect(made.snapshot.expiresAt).toBeNull();
    const until = '2099-01-01T00:00:00.000Z';
    await createSnapshot(world.context, { user: alice, name: 'second', expires: until }, callBy());
    const { snapshots } = await listSnapshots(world.context, { user: alice }, callBy());
    expect(snapshots.find(({ name }) => name === 'second')).toMatchObject({ expiresAt: until });
    const { containers } = await listContainers(world.context, {}, callBy());
    expect(containers[0]).toMatchObject({ snapshots: 2, lastSnapshotAt: snapshots[0]?.createdAt });
  });

  it('is named after the time if it gets no name', async () => {
    const world = await host();
    const { snapshot } = await createSnapshot(world.context, { user: alice }, callBy());
    expect(snapshot.name).toMatch(/^\d{8}-\d{6}$/);
  });

  it('is refused under a name that another has, and while an operation holds the container', async () => {
    const world = await host();
    await make(world, 'first');
    expect(await refused(world, () => make(world, 'first'))).toMatchObject({ code: 'exists' });
    await whileHeld(world, 'alice', () => expect(make(world, 'second')).rejects.toMatchObject({ code: 'busy' }));
    expect(await names(world)).toEqual(['first']);
  });

  it('of an owner has a name that says so, and counts against the allowance of owners', async () => {
    const world = await host({ settings: { snapshots: { own: 2 } } });
    await make(world, 'of-an-admin');
    const own = (name: string) => createSnapshot(world.context, { name }, callBy(her));
    expect((await own('one')).snapshot).toMatchObject({ name: 'own-one', origin: 'owner' });
    await own('two');
    expect(await refused(world, () => own('three'))).toMatchObject({
      code: 'no-space',
      next: expect.stringContaining('snapshot delete own-one') as string,
    });
  });
});

describe('a restore', () => {
  it('brings the files back, and keeps those of before, which another restore brings back', async () => {
    const world = await host();
    await write(world, 'old');
    await make(world, 'old-times');
    await write(world, 'new');
    const { before, status } = await restore(world, 'old-times');
    expect([notes(world), status]).toEqual(['old', 'running']);
    expect(await names(world)).toContain(before);
    const keptDays = (await listSnapshots(world.context, { user: alice }, callBy())).snapshots.find(
      ({ name }) => name === before,
    );
    expect(keptDays?.expiresAt).not.toBeNull();
    await restore(world, before);
    expect(notes(world)).toBe('new');
  });

  it('leaves keys, sizes and the schedule as they are now', async () => {
    const world = await host();
    const lost = newKey('alice@lost');
    await addKeys(world.context, { user: alice, keys: [lost] }, callBy());
    await make(world, 'with-the-lost-key');
    await removeKey(world.context, { user: alice, key: lost.fingerprint }, callBy());
    await resizeContainer(world.context, { user: alice, cpu: 2 }, callBy());
    await scheduleSnapshots(world.context, { user: alice, every: 'never' }, callBy());
    const present = instanceIn(world);
    await restore(world, 'with-the-lost-key');
    const restored = instanceIn(world);
    const chosen = ({ config }: InstanceRecord): unknown =>
      Object.entries(config)
        .filter(([key]) => !key.startsWith('volatile.'))
        .sort();
    expect(chosen(restored)).toEqual(chosen(present));
    const keys = '/etc/ssh/authorized_keys.d/alice';
    expect(restored.files[keys]?.content).toBe(present.files[keys]?.content);
    expect(restored.files[keys]?.content).not.toContain('alice@lost');
    expect((await reconcile(world.context, {}, callBy())).differences).toEqual([]);
  });

  it('leaves a stopped container stopped', async () => {
    const world = await host();
    await make(world, 'first');
    await stopContainer(world.context, { user: alice }, callBy());
    expect((await restore(world, 'first')).status).toBe('stopped');
  });

  it('of a snapshot that does not exist changes nothing', async () => {
    const world = await host();
    expect(await refused(world, () => restore(world, 'none'))).toMatchObject({ code: 'not-found' });
    expect(await names(world)).toEqual([]);
  });

  it('is open to an owner, who may leave out what the server put before the name', async () => {
    const world = await host();
    await createSnapshot(world.context, { name: 'mine' }, callBy(her));
    const restored = await restoreSnapshot(world.context, { snapshot: 'mine' }, callBy(her));
    expect(restored.restored).toBe('own-mine');
  });
});

describe('a restore on ZFS, which would delete newer snapshots', () => {
  const zfs = (state: HostState): void => {
    for (const pool of state.pools) pool.driver = 'zfs';
  };

  it('brings the files back in a new instance, and keeps every snapshot', async () => {
    const world = await host({ edit: zfs });
    await write(world, 'old');
    await make(world, 'first');
    await write(world, 'middle');
    await make(world, 'second');
    await write(world, 'new');
    const { before } = await restore(world, 'first');
    expect(notes(world)).toBe('old');
    expect((await names(world)).sort()).toEqual([before, 'first', 'second'].sort());
    await make(world, 'third');
    await restore(world, 'second');
    expect(notes(world)).toBe('middle');
    await restore(world, before);
    expect(notes(world)).toBe('new');
    expect(await names(world)).toEqual(expect.arrayContaining(['first', 'second', 'third', before]));
    expect((await reconcile(world.context, {}, callBy())).differences).toEqual([]);
    const { containers, foreign } = await listContainers(world.context, {}, callBy());
    expect(containers).toMatchObject([{ user: 'alice', status: 'running', snapshots: 6 }]);
    expect(foreign).toBe(0);
    expect(await world.must('info', { user: 'alice' })).toMatchObject({ container: { snapshots: 6 } });
  });

  it('leaves keys and addresses as they are now, to the present instance alone', async () => {
    const world = await host({ edit: zfs });
    await make(world, 'first');
    const present = instanceIn(world);
    await restore(world, 'first');
    const restored = instanceIn(world);
    expect(restored.devices).toEqual(present.devices);
    expect(restored.config['user.containarium.keys']).toBe(present.config['user.containarium.keys']);
    const earlier = Object.values(hostStateOf(world.folder).instances).find(({ name }) => name !== restored.name);
    expect(earlier?.devices['eth0']).toEqual({ type: 'none' });
    expect(earlier?.config).not.toHaveProperty('snapshots.schedule');
  });

  it('leaves an earlier state that reconcile deletes when its last snapshot is gone, and delete with the container', async () => {
    const world = await host({ edit: zfs });
    await make(world, 'first');
    const { before } = await restore(world, 'first');
    for (const snapshot of ['first', before]) await deleteSnapshot(world.context, { user: alice, snapshot }, callBy());
    expect((await reconcile(world.context, {}, callBy())).differences).toMatchObject([{ kind: 'generation-empty' }]);
    await reconcile(world.context, { apply: true }, callBy());
    expect(Object.keys(hostStateOf(world.folder).instances)).toEqual(['alice-container']);
    await make(world, 'second');
    await restore(world, 'second');
    await deleteContainer(world.context, { user: alice, purge: true }, callBy());
    expect(hostStateOf(world.folder).instances).toEqual({});
  });
});

describe('an earlier state whose container is gone', () => {
  it('is never that of a new container of the same name, and reconcile leaves it to a person', async () => {
    const world = await host({
      edit: ({ pools }) => {
        for (const pool of pools) pool.driver = 'zfs';
      },
    });
    await make(world, 'first');
    await restore(world, 'first');
    await world.context.incus.delete('alice-container');
    await reconcile(world.context, { apply: true }, callBy());
    expect((await reconcile(world.context, {}, callBy())).differences).toMatchObject([
      { kind: 'generation-orphan', fix: null },
    ]);
    const again = await refused(world, () =>
      createContainer(world.context, { user: alice, keys: [newKey('another alice')] }, callBy()),
    );
    expect(again).toMatchObject({ code: 'exists', why: expect.stringContaining('earlier state') as string });
  });
});

describe('a snapshot that is deleted or renamed', () => {
  it('is gone, or has the other name', async () => {
    const world = await host();
    await make(world, 'first');
    await renameSnapshot(world.context, { user: alice, snapshot: 'first', to: 'second' }, callBy());
    expect(await names(world)).toEqual(['second']);
    await deleteSnapshot(world.context, { user: alice, snapshot: 'second' }, callBy());
    expect(await names(world)).toEqual([]);
  });

  it('is not one that the caller did not make, at self@', async () => {
    const world = await host();
    await make(world, 'of-an-admin');
    const refusal = await refused(world, () => deleteSnapshot(world.context, { snapshot: 'of-an-admin' }, callBy(her)));
    expect(refusal).toMatchObject({ code: 'denied' });
    await createSnapshot(world.context, { name: 'mine' }, callBy(her));
    await deleteSnapshot(world.context, { snapshot: 'mine' }, callBy(her));
    expect(await names(world)).toEqual(['of-an-admin']);
  });
});

describe('the schedule of snapshots', () => {
  it('is that of the settings for a new container', async () => {
    const world = await host();
    expect(await listSnapshots(world.context, { user: alice }, callBy())).toMatchObject({
      schedule: { every: 'daily', keep: '30d' },
    });
  });

  it('is the one that was chosen, until the default is chosen again', async () => {
    const world = await host();
    const choose = (every: 'hourly' | 'never' | 'default', keep?: string) =>
      scheduleSnapshots(world.context, { user: alice, every, ...(keep === undefined ? {} : { keep }) }, callBy());
    expect(await choose('hourly', '36h')).toMatchObject({ schedule: { every: 'hourly', keep: '36H' } });
    expect((await reconcile(world.context, {}, callBy())).differences).toEqual([]);
    expect(await choose('never')).toMatchObject({ schedule: null, isDefault: false });
    expect((await reconcile(world.context, {}, callBy())).differences).toEqual([]);
    expect(await choose('default')).toMatchObject({ schedule: { every: 'daily', keep: '30d' }, isDefault: true });
  });

  it('that is missing is a difference, which reconcile repairs', async () => {
    const world = await host();
    await world.context.incus.patch('alice-container', { config: { 'snapshots.schedule': '' } });
    expect((await reconcile(world.context, {}, callBy())).differences).toMatchObject([{ kind: 'snapshot-schedule' }]);
    await reconcile(world.context, { apply: true }, callBy());
    expect(instanceIn(world).config['snapshots.schedule']).toBe('@daily');
  });
});

describe('a schedule', () => {
  it.each(['default', 'never'])('of %s is refused with --keep, which it would ignore', async (every) => {
    const world = await host();
    expect(await world.call('snapshot schedule', { user: 'alice', every, keep: '3d' })).toMatchObject({
      failure: { code: 'usage', why: expect.stringContaining('--keep cannot be combined') as string },
    });
    expect((await world.call('snapshot schedule', { user: 'alice', every })).ok).toBe(true);
  });
});
