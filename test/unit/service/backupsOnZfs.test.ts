/** Backups of containers on a pool of ZFS, on the simulated host: each has what changed since the one before it. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Backup, BackupCreated, BackupList, BackupVerified } from '../../../src/domain/results/backups.ts';
import { parseName } from '../../../src/domain/values/username.ts';
import type { ZfsManifest } from '../../../src/repository/manifest.ts';
import { Repository } from '../../../src/repository/repository.ts';
import { DirectoryStore } from '../../../src/repository/stores/directory.ts';
import { pruneBackups } from '../../../src/service/backups.ts';
import type { FaultPlan } from '../../../src/simulated/faults/faults.ts';
import type { HostState } from '../../../src/simulated/state/state.ts';
import { callBy } from '../../support/world/hosts.ts';
import { newKey } from '../../support/world/keys.ts';
import { commandsOf, hostStateOf, statePath, World, type Outcome } from '../../support/world/world.ts';

let folder: string;
let kept: string;
let world: World;

async function open(settings: Readonly<Record<string, unknown>> = {}, faults: FaultPlan = []): Promise<void> {
  world = await World.open(join(folder, 'world'), { faults, settings: { backups: { directory: kept, ...settings } } });
}

async function again(settings: Readonly<Record<string, unknown>> = {}, faults: FaultPlan = []): Promise<void> {
  await world.close();
  await open(settings, faults);
}

/** Changes the state of the host while it is closed. */
async function edit(change: (state: HostState) => void, settings: Readonly<Record<string, unknown>> = {}) {
  await world.close();
  const state = hostStateOf(world.folder);
  change(state);
  await writeFile(statePath(world.folder), JSON.stringify(state));
  await open(settings);
}

const onZfs = ({ pools }: HostState): void => {
  for (const pool of pools) Object.assign(pool, { driver: 'zfs', config: { 'zfs.pool_name': 'tank/incus' } });
};
const onBtrfs = ({ pools }: HostState): void => {
  for (const pool of pools) pool.driver = 'btrfs';
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'containarium-zfs-'));
  kept = join(folder, 'kept');
  await mkdir(kept, { mode: 0o700 });
  await open();
  await world.must('create', { user: 'alice', keys: newKey('alice@desk').line });
  await edit(onZfs);
  await write('notes', 'first words');
});
afterEach(async () => {
  await world.close();
  await rm(folder, { recursive: true, force: true });
});

const write = (name: string, content: string): Promise<void> =>
  world.context.incus.pushFile({
    instance: 'alice-container',
    path: `/home/alice/${name}`,
    content,
    mode: '0644',
  });
const create = async (): Promise<Backup> =>
  ((await world.must('backup create', { user: 'alice' })) as BackupCreated).backup;
const list = async (): Promise<BackupList['backups']> => ((await world.must('backup list')) as BackupList).backups;
const alice = () => hostStateOf(world.folder).instances['alice-container'];
const fileOf = (name: string): string | undefined => alice()?.files[`/home/alice/${name}`]?.content;
const bookmarks = (): string[] => alice()?.dataset?.bookmarks.map(({ name }) => name) ?? [];
const instances = (): string[] => Object.keys(hostStateOf(world.folder).instances);
const refusal = (outcome: Outcome): unknown => (outcome.ok ? outcome.result : outcome.failure.toData());
const pathOf = (id: string, part: string): string => join(kept, 'alice-container', id, part);
const manifestOf = async (id: string): Promise<ZfsManifest> =>
  JSON.parse(await readFile(pathOf(id, 'manifest.json'), 'utf8')) as ZfsManifest;
async function editManifest(id: string, change: Partial<Record<keyof ZfsManifest, unknown>>): Promise<void> {
  await writeFile(pathOf(id, 'manifest.json'), JSON.stringify({ ...(await manifestOf(id)), ...change }));
}
const restore = (id: string): Promise<Outcome> =>
  world.call('backup restore', { user: 'alice', backup: id, yes: true });

/** Makes a full backup and two that build on it. */
async function chain(): Promise<readonly [Backup, Backup, Backup]> {
  const first = await create();
  await write('notes', 'second words');
  await write('more', 'a file that the first lacks');
  const second = await create();
  await write('notes', 'third words');
  return [first, second, await create()];
}

describe('backup create on ZFS', () => {
  it('sends all of a container first, and then only what changed', async () => {
    const [first, second, third] = await chain();
    expect([first, second, third].map(({ format, base }) => [format, base])).toEqual([
      ['zfs', null],
      ['zfs', first.id],
      ['zfs', second.id],
    ]);
    expect(second.plainBytes).toBeLessThan(first.plainBytes / 2);
    expect(second.files).toBe(first.files + 1);
    const listed = (await list()).map(({ backup }) => backup);
    expect(listed).toEqual(expect.arrayContaining([first, second, third]));
    const { guid, idmap } = await manifestOf(first.id);
    expect({ guid, idmap }).toEqual({ guid: expect.stringMatching(/^\d+$/) as string, idmap: '[]' });
    expect(await world.faults()).toEqual([]);
  });

  it('leaves of its work only a bookmark, and no export on the disk of Incus', async () => {
    const { id } = await create();
    expect(alice()).toMatchObject({ snapshots: [], backups: [] });
    expect(bookmarks()).toEqual([`containarium-${id}`]);
    expect((await readdir(pathOf(id, ''))).sort()).toEqual(['data', 'files', 'manifest.json']);
  });

  it('does not build on one whose verification has failed', async () => {
    const [, second, third] = await chain();
    const failed = { failedAt: new Date().toISOString(), why: '1 of 20 compared files is not as it was' };
    await writeFile(pathOf(third.id, 'verified.json'), JSON.stringify(failed));
    expect((await create()).base).toBe(second.id);
  });

  it('makes a full one after a verification has found a fault in what the others build on', async () => {
    const [first, second] = await chain();
    const data = await readFile(pathOf(first.id, 'data'));
    data[data.length - 3] = (data.at(-3) ?? 0) ^ 1;
    await writeFile(pathOf(first.id, 'data'), data);
    expect((await world.call('backup verify', { user: 'alice', backup: second.id })).ok).toBe(false);
    const damaged = (await list()).flatMap(({ id, trouble }) => (trouble === null ? [] : [id]));
    expect(damaged.sort()).toEqual([first.id, second.id].sort());
    expect((await create()).base).toBeNull();
  });

  it('makes a full one when as many build on one another as the settings say', async () => {
    await again({ fullEvery: 2 });
    const [first, second, third] = await chain();
    const fourth = await create();
    expect([first, second, third, fourth].map(({ base }) => base)).toEqual([null, first.id, null, third.id]);
  });

  it('has Incus export the container if the settings say so, and then restores both kinds', async () => {
    const sent = await create();
    await again({ fullEvery: 0 });
    const exported = await create();
    expect(exported).toMatchObject({ format: 'export', base: null });
    await world.must('backup verify', { user: 'alice', backup: sent.id });
    await world.must('backup verify', { user: 'alice', backup: exported.id });
  });

  it('makes a full one if ZFS no longer knows the one before', async () => {
    await create();
    await edit((state) => {
      for (const { dataset } of Object.values(state.instances)) dataset?.bookmarks.splice(0);
    });
    expect((await create()).base).toBeNull();
  });

  it('makes a full one if the bookmark has another guid, as that of a container that was made again', async () => {
    await create();
    await edit((state) => {
      for (const { dataset } of Object.values(state.instances))
        for (const mark of dataset?.bookmarks ?? []) mark.guid = '4711';
    });
    expect((await create()).base).toBeNull();
  });

  it('builds on an older one if the newest was deleted, and on none that is in one of two places only', async () => {
    const [first, second, third] = await chain();
    await world.must('backup delete', { user: 'alice', backup: third.id, yes: true });
    const fourth = await create();
    expect(fourth.base).toBe(second.id);
    const other = join(folder, 'other');
    await mkdir(other, { mode: 0o700 });
    const stores = [new DirectoryStore(kept), new DirectoryStore(other)];
    Object.assign(world.context, { repository: () => Promise.resolve(new Repository(stores, [])) });
    expect((await create()).base).toBeNull();
    expect(first.base).toBeNull();
  });

  it('makes a full one for other recipients, who could not read those before', async () => {
    const recipients = await Promise.all(
      [generateX25519Identity(), generateX25519Identity()].map(async (identity) => identityToRecipient(await identity)),
    );
    const plain = await create();
    await again({ recipients: recipients.slice(0, 1) });
    const first = await create();
    const second = await create();
    await again({ recipients });
    const third = await create();
    expect([plain, first, second, third].map(({ base }) => base)).toEqual([null, null, first.id, null]);
  });

  it('deletes bookmarks that no stored backup can use, and no others', async () => {
    const [first, second, third] = await chain();
    await world.must('backup delete', { user: 'alice', backup: third.id, yes: true });
    await edit((state) => {
      for (const { dataset } of Object.values(state.instances))
        dataset?.bookmarks.push({ name: 'of-another-program', guid: '5', files: {} });
    });
    const fourth = await create();
    expect(bookmarks().sort()).toEqual(
      [...[first, second, fourth].map(({ id }) => `containarium-${id}`), 'of-another-program'].sort(),
    );
  });

  it('is refused before anything is stored if the place has no room for what ZFS would send', async () => {
    const store = new DirectoryStore(kept);
    Object.assign(world.context, { repository: () => Promise.resolve(new Repository([store], [])) });
    store.freeBytes = () => Promise.resolve(100);
    expect(refusal(await world.call('backup create', { user: 'alice' }))).toMatchObject({ code: 'no-space' });
    expect(await readdir(kept)).toEqual([]);
    expect(alice()).toMatchObject({ snapshots: [], dataset: { bookmarks: [] } });
    expect(await world.faults()).toEqual([]);
  });

  it.each(['zfs send fails', 'the list fails'])('leaves nothing if %s in the middle', async (which) => {
    await create();
    const argIncludes = which === 'the list fails' ? 'snapshotReader' : 'send';
    await again({}, [{ match: { program: 'systemd-run', argIncludes }, mode: 'fail-after' }]);
    expect(refusal(await world.call('backup create', { user: 'alice' }))).toMatchObject({ code: 'program-failed' });
    expect(await list()).toHaveLength(1);
    expect(bookmarks()).toHaveLength(1);
    expect(alice()?.snapshots).toEqual([]);
    expect(await readdir(join(kept, 'alice-container'))).toHaveLength(1);
    expect(await world.faults()).toEqual([]);
  });

  it('is no backup if the one on which it builds disappears meanwhile', async () => {
    const first = await create();
    const store = new DirectoryStore(kept);
    const put = store.put.bind(store);
    store.put = async (key, ...rest) => {
      await put(key, ...rest);
      await rm(pathOf(first.id, 'manifest.json'), { force: true });
    };
    Object.assign(world.context, { repository: () => Promise.resolve(new Repository([store], [])) });
    expect(refusal(await world.call('backup create', { user: 'alice' }))).toMatchObject({ code: 'store-unavailable' });
    expect(await list()).toEqual([]);
  });

  it('works on after the container was renamed, put into the trash and taken out again', async () => {
    const first = await create();
    await world.must('delete', { user: 'alice', yes: true });
    await world.must('trash restore', { user: 'alice' });
    expect((await create()).base).toBe(first.id);
  });
});

describe('backup restore on ZFS', () => {
  it('gives back the files of each backup of a chain', async () => {
    const [first, second, third] = await chain();
    for (const [{ id }, notes, more] of [
      [second, 'second words', 'a file that the first lacks'],
      [first, 'first words', undefined],
      [third, 'third words', 'a file that the first lacks'],
    ] as const) {
      await world.must('backup restore', { user: 'alice', backup: id, yes: true });
      expect([fileOf('notes'), fileOf('more')]).toEqual([notes, more]);
      expect(alice()?.dataset?.received).toEqual([]);
    }
    expect(await world.faults()).toEqual([]);
  });

  it('takes files away that were removed before the backup', async () => {
    await write('gone', 'soon');
    await create();
    await edit((state) => {
      delete state.instances['alice-container']?.files['/home/alice/gone'];
    });
    const { id } = await create();
    await world.must('backup restore', { user: 'alice', backup: id, yes: true });
    expect(fileOf('gone')).toBeUndefined();
    expect(fileOf('notes')).toBe('first words');
  });

  it('makes a container that is gone again', async () => {
    const [, second] = await chain();
    await world.must('delete', { user: 'alice', purge: true, yes: true });
    await world.must('backup restore', { user: 'alice', backup: second.id, yes: true });
    expect(fileOf('notes')).toBe('second words');
    expect(await world.faults()).toEqual([]);
  });

  it('tells Incus which user ids the files have on disk', async () => {
    const idmap = '[{"Isuid":true,"Isgid":false,"Hostid":1065536,"Nsid":0,"Maprange":65536}]';
    await edit((state) => {
      Object.assign(state.instances['alice-container']?.config ?? {}, { 'volatile.last_state.idmap': idmap });
    });
    const { id } = await create();
    const { incus } = world.context;
    const patched: unknown[] = [];
    const patch = incus.patch.bind(incus);
    incus.patch = async (name, change) => {
      patched.push(change.config?.['volatile.last_state.idmap']);
      await patch(name, change);
    };
    await world.must('backup verify', { user: 'alice', backup: id });
    expect(patched).toContain(idmap);
  });

  it('starts the next chain anew, because the restored container is another dataset', async () => {
    const [first] = await chain();
    await world.must('backup restore', { user: 'alice', backup: first.id, yes: true });
    expect((await create()).base).toBeNull();
  });

  it('needs a pool of ZFS, and says what else can be done', async () => {
    const [, , third] = await chain();
    await edit(onBtrfs);
    const wanted = {
      code: 'settings',
      why: 'ZFS has sent it, and pool "default" is not ZFS',
      next: expect.stringContaining('backup-download') as string,
    };
    expect(refusal(await restore(third.id))).toMatchObject(wanted);
    expect(refusal(await world.call('backup verify', { user: 'alice', backup: third.id }))).toMatchObject(wanted);
    expect(instances()).toEqual(['alice-container']);
  });

  it('needs room for all backups of the chain', async () => {
    const [first, , third] = await chain();
    const { incus } = world.context;
    incus.poolSpace = () => Promise.resolve({ usedBytes: 0, totalBytes: first.plainBytes + 1 });
    expect(refusal(await restore(third.id))).toMatchObject({ code: 'no-space' });
  });

  it('reads an encrypted chain with the identity', async () => {
    const identity = await generateX25519Identity();
    await again({ recipients: [await identityToRecipient(identity)] });
    const [, second] = await chain();
    expect(refusal(await restore(second.id))).toMatchObject({ code: 'usage' });
    await world.must('backup restore', { user: 'alice', backup: second.id, identity, yes: true });
    expect(fileOf('notes')).toBe('second words');
  });
});

describe('a chain of backups that was changed in the store', () => {
  const damagedBy = async (outcome: Promise<Outcome>, why: string): Promise<void> => {
    const before = instances();
    expect(refusal(await outcome)).toMatchObject({
      code: 'backup-damaged',
      why: expect.stringContaining(why) as string,
    });
    expect(instances()).toEqual(before);
    expect(fileOf('notes')).toBe('third words');
    expect(await world.faults()).toEqual([]);
  };

  it('is refused if one of it is missing', async () => {
    const [first, second, third] = await chain();
    await rm(pathOf(second.id, 'manifest.json'));
    await damagedBy(restore(third.id), `it builds on backup ${second.id}, which is missing`);
    // The first of the chain is whole.
    await world.must('backup verify', { user: 'alice', backup: first.id });
  });

  it('is refused if it goes in a circle', async () => {
    const [first, , third] = await chain();
    await editManifest(first.id, { base: third.id });
    await damagedBy(restore(third.id), 'which builds on it');
  });

  it('is refused if the one below is unreadable or an export', async () => {
    const [first, second] = await chain();
    await editManifest(first.id, { guid: 'none' });
    await damagedBy(restore(second.id), 'cannot be read');
    await editManifest(first.id, { version: 1, guid: '1' });
    await damagedBy(restore(second.id), 'which is no stream of ZFS');
  });

  it('is refused if it skips one, although each is whole', async () => {
    const [first, , third] = await chain();
    await editManifest(third.id, { base: first.id });
    await damagedBy(restore(third.id), 'the stream is that of another snapshot, or builds on another');
  });

  it('is refused if a manifest names another snapshot than its stream', async () => {
    const [, , third] = await chain();
    await editManifest(third.id, { guid: '4711' });
    await damagedBy(restore(third.id), 'the stream is that of another snapshot');
  });

  it('is refused if its folder is not that of a container', async () => {
    const [first] = await chain();
    await edit((state) => {
      Object.assign(state.instances['alice-container']?.dataset ?? {}, { trouble: undefined });
    });
    const { zfs } = world.context;
    zfs.volumeTrouble = () => Promise.resolve('its "backup.yaml" is no file of its own');
    await damagedBy(restore(first.id), 'its "backup.yaml" is no file of its own');
  });
});

describe('backup verify on ZFS', () => {
  it('restores one that builds on others, compares all files, and leaves nothing', async () => {
    const [, , third] = await chain();
    const before = instances();
    const verified = (await world.must('backup verify', { user: 'alice', backup: third.id })) as BackupVerified;
    expect(verified.compared).toBeGreaterThan(2);
    expect(instances()).toEqual(before);
    expect(await world.faults()).toEqual([]);
  });

  it('finds a byte that was changed in one on which it builds', async () => {
    const [first, , third] = await chain();
    const data = await readFile(pathOf(first.id, 'data'));
    data[data.length - 3] = (data.at(-3) ?? 0) ^ 1;
    await writeFile(pathOf(first.id, 'data'), data);
    expect(refusal(await world.call('backup verify', { user: 'alice', backup: third.id }))).toMatchObject({
      code: 'backup-damaged',
    });
    expect(instances()).toEqual(['alice-container']);
  });
});

describe('backup delete on ZFS', () => {
  it('refuses one on which others build and names them', async () => {
    const [first, second, third] = await chain();
    expect(refusal(await world.call('backup delete', { user: 'alice', backup: first.id, yes: true }))).toMatchObject({
      code: 'wrong-state',
      why: `${second.id} builds on it and cannot be restored without it`,
      details: { needing: [second.id] },
    });
    expect(await list()).toHaveLength(3);
    for (const { id } of [third, second, first])
      await world.must('backup delete', { user: 'alice', backup: id, yes: true });
    expect(await list()).toEqual([]);
  });

  it('is refused while a backup of the container is being made, which may build on it', async () => {
    const first = await create();
    let outcome: Outcome | undefined;
    const { zfs } = world.context;
    const send = zfs.send.bind(zfs);
    const deleted = Promise.withResolvers<undefined>();
    zfs.send = (...args) => {
      void world.call('backup delete', { user: 'alice', backup: first.id, yes: true }).then((answer) => {
        outcome = answer;
        deleted.resolve(undefined);
      });
      return send(...args);
    };
    await create();
    await deleted.promise;
    expect(outcome === undefined ? undefined : refusal(outcome)).toMatchObject({ code: 'busy' });
  });

  it('by age spares what a kept one needs', async () => {
    await again({ keep: { daily: 0, weekly: 0, monthly: 0 } });
    const [, , third] = await chain();
    const user = parseName('alice');
    const call = callBy();
    expect(await pruneBackups(world.context, user, call)).toEqual([]);
    expect((await world.must('backup verify', { user: 'alice', backup: third.id })) as BackupVerified).toMatchObject({
      id: third.id,
    });
    await again({ keep: { daily: 0, weekly: 0, monthly: 0 }, fullEvery: 1 });
    const full = await create();
    await world.must('backup verify', { user: 'alice', backup: full.id });
    expect((await pruneBackups(world.context, user, call)).map(({ id }) => id)).toHaveLength(3);
    expect((await list()).map(({ id }) => id)).toEqual([full.id]);
  });
});

describe('the programs of ZFS', () => {
  it('run in units that are named for their operation, and no other changes a dataset', async () => {
    await chain();
    const changing = commandsOf(world.folder).filter(({ changes, program }) => changes && program !== 'incus');
    const zfs = changing.filter(({ args }) => args.some((arg) => arg.startsWith('tank/incus/')));
    expect(zfs.length).toBeGreaterThan(2);
    for (const { program, args } of zfs) {
      expect(program).toBe('systemd-run');
      expect(args.find((arg) => arg.startsWith('--unit='))).toMatch(
        /^--unit=containarium-zfs-[0-9a-z]{26}-[a-z0-9-]+$/,
      );
    }
  });
});
