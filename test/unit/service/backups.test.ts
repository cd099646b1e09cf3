/** `backup create`, `list`, `verify` and `delete` on the simulated host, in a folder. */
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Failure } from '../../../src/domain/failure.ts';
import { Repository } from '../../../src/repository/repository.ts';
import { DirectoryStore } from '../../../src/repository/stores/directory.ts';
import { abandon } from '../../../src/repository/stores/store.ts';
import type { BackupCreated, BackupList, BackupVerified } from '../../../src/domain/results/backups.ts';
import type { IncusInstance } from '../../../src/host/incus/documents.ts';
import { parseName } from '../../../src/domain/values/username.ts';
import { pruneBackups } from '../../../src/service/backups.ts';
import { nameBackup } from '../../support/backups.ts';
import { callBy } from '../../support/world/hosts.ts';
import { eventually } from '../../support/eventually.ts';
import { newKey } from '../../support/world/keys.ts';
import { hostStateOf, World, type Outcome } from '../../support/world/world.ts';

let folder: string;
let kept: string;
let world: World;

async function open(settings: Readonly<Record<string, unknown>> = {}): Promise<void> {
  world = await World.open(join(folder, 'world'), { settings: { backups: { directory: kept, ...settings } } });
}

async function again(settings: Readonly<Record<string, unknown>> = {}): Promise<void> {
  await world.close();
  await open(settings);
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'containarium-backups-'));
  kept = join(folder, 'kept');
  await mkdir(kept, { mode: 0o700 });
  await open();
  await world.must('create', { user: 'alice', keys: newKey('alice@desk').line });
  await write('/home/alice/notes', 'what alice wrote');
});
afterEach(async () => {
  await world.close();
  await rm(folder, { recursive: true, force: true });
});

const write = (path: string, content: string): Promise<void> =>
  world.context.incus.pushFile({ instance: 'alice-container', path, content, mode: '0644' });
const create = (): Promise<BackupCreated> => world.must('backup create', { user: 'alice' });
const list = async (user?: string): Promise<BackupList['backups']> =>
  ((await world.must('backup list', user === undefined ? {} : { user })) as BackupList).backups;
const instances = (): string[] => Object.keys(hostStateOf(world.folder).instances);
const pathOf = (id: string, part = ''): string => join(kept, 'alice-container', id, part);
const refusal = (outcome: Outcome): unknown => (outcome.ok ? outcome.result : outcome.failure.toData());

describe('backup create', () => {
  it('stores the container, and leaves nothing on the disk of Incus', async () => {
    const { backup } = await create();
    expect(backup).toMatchObject({ user: 'alice', createdBy: 'carol', isEncrypted: false, verifiedAt: null });
    expect(backup.files).toBeGreaterThan(1);
    expect((await readdir(pathOf(backup.id))).sort()).toEqual(['data', 'files', 'manifest.json']);
    expect(hostStateOf(world.folder).instances['alice-container']?.backups).toEqual([]);
    expect(await list()).toMatchObject([{ id: backup.id, stores: ['directory'], backup }]);
    expect(await world.faults()).toEqual([]);
  });

  it('keeps the configuration without secrets and without what Incus keeps there', async () => {
    await world.context.incus.patch('alice-container', {
      config: {
        'environment.TOKEN': 'secret words',
        'cloud-init.user-data': 'secret words',
        'user.mine': 'secret words',
      },
    });
    const { backup } = await create();
    const manifest = await readFile(pathOf(backup.id, 'manifest.json'), 'utf8');
    expect(manifest).not.toContain('secret words');
    expect(manifest).not.toContain('volatile.');
    expect(JSON.parse(manifest)).toMatchObject({
      incusVersion: expect.any(String),
      config: { 'limits.cpu': '4', 'user.containarium.owner': 'alice' },
      devices: { root: { path: '/' }, eth0: { type: 'nic' } },
    });
  });

  it('says how to switch backups on', async () => {
    await again({ directory: undefined });
    for (const [verb, input] of [
      ['backup create', { user: 'alice' }],
      ['backup list', {}],
      ['backup verify', { user: 'alice', backup: 'latest' }],
      ['backup delete', { user: 'alice', backup: '20261129-120000-abcd', yes: true }],
    ] as const)
      expect(refusal(await world.call(verb, input))).toMatchObject({
        code: 'settings',
        next: expect.stringContaining('backups.directory'),
      });
  });

  it.each(['data', 'files', 'manifest.json'])('leaves nothing if its %s cannot be stored', async (part) => {
    const full = new DirectoryStore(kept);
    const put = full.put.bind(full);
    full.put = (key, source, signal) => {
      if (!key.endsWith(part)) return put(key, source, signal);
      const failure = new Failure('no-space', { what: key, why: 'the disk is full' });
      abandon(source, failure);
      return Promise.reject(failure);
    };
    Object.assign(world.context, { repository: () => Promise.resolve(new Repository([full], [])) });
    expect(refusal(await world.call('backup create', { user: 'alice' }))).toMatchObject({ code: 'no-space' });
    expect(await readdir(kept)).toEqual([]);
    expect(hostStateOf(world.folder).instances['alice-container']?.backups).toEqual([]);
    expect(await world.faults()).toEqual([]);
  });

  it('leaves the container free although its store no longer answers', async () => {
    const { streams } = world.context;
    const read = streams.readBackup.bind(streams);
    streams.readBackup = async (...names) => {
      const source = await read(...names);
      await rename(kept, `${kept}-gone`);
      return source;
    };
    expect(refusal(await world.call('backup create', { user: 'alice' }))).toMatchObject({ code: 'store-unavailable' });
    expect(hostStateOf(world.folder).instances['alice-container']?.backups).toEqual([]);
    expect(await world.faults()).toEqual([]);
    await world.must('restart', { user: 'alice' });
    await rename(`${kept}-gone`, kept);
    expect(await list()).toEqual([]);
  });

  it('that died in the middle leaves nothing after the next start', async () => {
    const { streams } = world.context;
    const end = Promise.withResolvers<never>();
    const read = streams.readBackup.bind(streams);
    streams.readBackup = async (...names) => {
      const source = await read(...names);
      return Readable.from(
        (async function* () {
          for await (const chunk of source) {
            yield chunk;
            await end.promise;
          }
        })(),
        { objectMode: false },
      );
    };
    const dying = world.call('backup create', { user: 'alice' });
    const files = (within: string): Promise<string[]> => readdir(within, { recursive: true });
    const begun = async (): Promise<true | undefined> =>
      (await files(kept)).filter((path) => path.endsWith('.part~')).length === 2 ? true : undefined;
    await eventually(begun, 'both parts are begun');
    const copy = await mkdtemp(join(tmpdir(), 'containarium-backups-'));
    await cp(folder, copy, { recursive: true, filter: (path) => !basename(path).startsWith('writer.lock') });
    end.reject(new Failure('incus-unavailable', { what: 'Incus', why: 'it is gone' }));
    expect(refusal(await dying)).toMatchObject({ code: 'incus-unavailable' });
    expect(await files(kept)).toEqual([]);

    const next = await World.open(join(copy, 'world'), { settings: { backups: { directory: join(copy, 'kept') } } });
    expect(hostStateOf(next.folder).instances['alice-container']?.backups).toHaveLength(1);
    await next.recover();
    expect(await files(join(copy, 'kept'))).toEqual([]);
    expect(hostStateOf(next.folder).instances['alice-container']?.backups).toEqual([]);
    expect(await next.faults()).toEqual([]);
    await next.close();
    await rm(copy, { recursive: true });
  });

  it('stays if what it needed for that cannot be removed now, also over a restart', async () => {
    const { backups } = world.context.incus;
    vi.spyOn(backups, 'delete').mockRejectedValue(new Failure('timeout', { what: 'Incus', why: 'it hangs' }));
    const failure = refusal(await world.call('backup create', { user: 'alice' }));
    expect(failure).toMatchObject({
      code: 'partial',
      why: expect.stringMatching(
        /^the change was made, but what it had needed .* could not be removed: Incus: it hangs/,
      ),
    });
    expect(await list()).toMatchObject([{ trouble: null }]);
    expect(world.operations.unfinished()).toMatchObject([{ isMade: true }]);
    await world.close();

    const next = await World.open(world.folder, { settings: { backups: { directory: kept } } });
    await next.recover();
    expect(next.operations.unfinished()).toEqual([]);
    expect(hostStateOf(next.folder).instances['alice-container']?.backups).toEqual([]);
    expect((await next.must('backup list')).backups).toMatchObject([{ trouble: null }]);
    expect(await next.faults()).toEqual([]);
    await next.close();
  });

  it('is refused for lack of room by the quota of a container whose use its root hides', async () => {
    const { incus, streams } = world.context;
    const instance = incus.instance.bind(incus);
    incus.instance = async (name, signal) => {
      const { state: _state, ...rest } = (await instance(name, signal)) ?? {};
      return rest as IncusInstance;
    };
    streams.freeForBackups = () => Promise.resolve(1024 ** 3);
    expect(refusal(await world.call('backup create', { user: 'alice' }))).toMatchObject({
      code: 'no-space',
      why: expect.stringContaining('it may take 50 GiB'),
    });
  });

  it('is refused before anything is copied if the disk of Incus or the folder has no room', async () => {
    const { context } = world;
    const [incus, store] = [context.streams, new DirectoryStore(kept)];
    const used = (await context.incus.instance('alice-container'))?.state?.disk?.['root']?.usage ?? 0;
    expect(used).toBeGreaterThan(0);
    Object.assign(context, { repository: () => Promise.resolve(new Repository([store], [])) });
    incus.freeForBackups = () => Promise.resolve(used - 1);
    expect(refusal(await world.call('backup create', { user: 'alice' }))).toMatchObject({
      code: 'no-space',
      why: expect.stringContaining('the disk of Incus'),
    });
    incus.freeForBackups = () => Promise.resolve(used);
    store.freeBytes = () => Promise.resolve(used - 1);
    expect(refusal(await world.call('backup create', { user: 'alice' }))).toMatchObject({
      code: 'no-space',
      why: expect.stringContaining('the folder for backups'),
    });
    expect(await readdir(kept)).toEqual([]);
    store.freeBytes = () => Promise.resolve(used);
    await create();
  });

  it('refuses a user without a container, and a place that is missing', async () => {
    expect(refusal(await world.call('backup create', { user: 'nobody' }))).toMatchObject({ code: 'not-found' });
    await rm(kept, { recursive: true });
    expect(refusal(await world.call('backup create', { user: 'alice' }))).toMatchObject({ code: 'store-unavailable' });
    expect(await world.faults()).toEqual([]);
  });
});

describe('backup list', () => {
  it('has the newest first, of one user or of all', async () => {
    await world.must('create', { user: 'bob', keys: newKey('bob@desk').line });
    const first = await create();
    await world.must('backup create', { user: 'bob' });
    await world.context.incus.delete('alice-container');
    expect((await list()).map(({ user }) => user)).toHaveLength(2);
    expect(await list('alice')).toMatchObject([{ id: first.backup.id, user: 'alice' }]);
    expect(await list('nobody')).toEqual([]);
  });

  it('is for an owner that of the own container', async () => {
    await create();
    const owner = { name: 'bob', role: 'owner', entryPoint: 'self', owns: ['bob'] } as const;
    const actor = { ...owner, fingerprint: 'SHA256:bob', address: '192.0.2.8' };
    expect(refusal(await world.call('backup list', {}, actor))).toMatchObject({ user: 'bob', backups: [] });
    expect(refusal(await world.call('backup list', { user: 'alice' }, actor))).toMatchObject({ code: 'not-found' });
    expect(refusal(await world.call('backup create', { user: 'bob' }, actor))).toMatchObject({ code: 'denied' });
  });
});

describe('backup verify', () => {
  it('restores, compares, and leaves nothing but the outcome', async () => {
    const { backup } = await create();
    const before = instances();
    const verified = (await world.must('backup verify', { user: 'alice', backup: 'latest' })) as BackupVerified;
    expect(verified).toMatchObject({ id: backup.id, changedByBoot: 0 });
    expect(verified.compared).toBeGreaterThan(1);
    expect(instances()).toEqual(before);
    expect(await list()).toMatchObject([{ backup: { verifiedAt: verified.verifiedAt } }]);
    expect(await world.faults()).toEqual([]);
  });

  it('gives the throwaway nothing of what the backup says about its configuration', async () => {
    await world.context.incus.patch('alice-container', {
      config: {
        'security.privileged': 'true',
        'security.protection.delete': 'true',
        'linux.kernel_modules': 'evil',
        'boot.autostart': 'true',
      },
      devices: { host: { type: 'disk', path: '/mnt', source: '/' } },
    });
    const seen: { config: Record<string, string>; devices: Record<string, Record<string, string>> }[] = [];
    await create();
    const { incus } = world.context;
    const start = incus.start.bind(incus);
    incus.start = async (name, options) => {
      const found = await incus.instance(name);
      if (found !== undefined) seen.push({ config: found.config, devices: found.devices });
      return start(name, options);
    };
    await world.must('backup verify', { user: 'alice', backup: 'latest' });
    expect(seen).toHaveLength(1);
    const { config = {}, devices = {} } = seen[0] ?? {};
    const own = Object.keys(config).filter((key) => !/^(volatile|image)\./.test(key));
    expect(own.sort()).toEqual([
      'boot.autostart',
      'limits.cpu',
      'limits.memory',
      'limits.processes',
      'security.guestapi',
      'security.idmap.isolated',
      'user.containarium.operation',
    ]);
    expect(config['boot.autostart']).toBe('false');
    expect(Object.values(devices).filter(({ type }) => type !== 'none')).toEqual([
      { type: 'disk', path: '/', pool: 'default', size: '50GiB' },
    ]);
    expect(instances()).toEqual(['alice-container']);
  });

  it('finds a byte that was changed, and leaves nothing', async () => {
    const { backup } = await create();
    const data = await readFile(pathOf(backup.id, 'data'));
    data[data.length - 3] = (data.at(-3) ?? 0) ^ 1;
    await writeFile(pathOf(backup.id, 'data'), data);
    const outcome = await world.call('backup verify', { user: 'alice', backup: backup.id });
    expect(refusal(outcome)).toMatchObject({ code: 'backup-damaged' });
    expect(instances()).toEqual(['alice-container']);
    expect(await list()).toMatchObject([{ backup: { verifiedAt: null } }]);
    expect(await world.faults()).toEqual([]);
  });

  it('keeps that a backup is damaged, and nothing takes that one for a good one', async () => {
    await create();
    await create();
    const [bad = '', good = ''] = (await list()).map(({ id }) => id);
    const data = await readFile(pathOf(bad, 'data'));
    data[data.length - 3] = (data.at(-3) ?? 0) ^ 1;
    await writeFile(pathOf(bad, 'data'), data);
    expect((await world.call('backup verify', { user: 'alice', backup: 'latest' })).ok).toBe(false);
    expect(await list()).toMatchObject([
      { id: bad, backup: { verifiedAt: null }, trouble: expect.stringContaining('its verification failed on ') },
      { id: good, trouble: null },
    ]);
    for (const [verb, more] of [
      ['backup restore', { yes: true }],
      ['backup verify', {}],
    ] as const)
      expect(refusal(await world.call(verb, { user: 'alice', backup: 'latest', ...more }))).toMatchObject({
        code: 'backup-damaged',
        next: expect.stringContaining(good),
      });
    await world.context.backupAges.refresh();
    expect(world.context.backupAges.of('alice-container')).toBe((await list()).at(-1)?.backup?.createdAt);
  });

  it.each(['data', 'files'])('calls a backup damaged whose %s are missing, as does the list', async (part) => {
    const { backup } = await create();
    await rm(pathOf(backup.id, part));
    expect(await list()).toMatchObject([{ id: backup.id, trouble: expect.stringMatching(/^its .*missing$/) }]);
    const outcome = await world.call('backup verify', { user: 'alice', backup: backup.id });
    expect(refusal(outcome)).toMatchObject({ code: 'backup-damaged', why: expect.stringMatching(/^its .*missing$/) });
  });

  it('finds a file that the restored container does not have as it was', async () => {
    const { backup } = await create();
    const { incus } = world.context;
    const exec = incus.exec.bind(incus);
    incus.exec = async (name, argv, options) => {
      if (argv.includes('sha256sum'))
        await incus.pushFile({ instance: name, path: '/home/alice/notes', content: 'other', mode: '0644' });
      return exec(name, argv, options);
    };
    const outcome = await world.call('backup verify', { user: 'alice', backup: backup.id });
    expect(refusal(outcome)).toMatchObject({
      code: 'backup-damaged',
      why: expect.stringContaining('"/home/alice/notes"'),
    });
    expect(instances()).toEqual(['alice-container']);
  });

  const failSums = (times: number): void => {
    const { incus } = world.context;
    const exec = incus.exec.bind(incus);
    let left = times;
    incus.exec = async (name, argv, options) => {
      if (!argv.includes('sha256sum') || left-- <= 0) return exec(name, argv, options);
      return { stdout: '', stderr: 'Error: Failed to retrieve PID of executing child process', exitCode: 1 };
    };
  };

  it('does not take a program that did not start for files that are missing', async () => {
    await create();
    failSums(2);
    const verified = (await world.must('backup verify', { user: 'alice', backup: 'latest' })) as BackupVerified;
    expect(verified.compared).toBeGreaterThan(1);
  });

  it('fails if the files cannot be read, and does not call the backup damaged', async () => {
    await create();
    failSums(Infinity);
    const outcome = await world.call('backup verify', { user: 'alice', backup: 'latest' });
    expect(refusal(outcome)).toMatchObject({ code: 'unexpected-output' });
    expect(instances()).toEqual(['alice-container']);
    expect(await list()).toMatchObject([{ backup: { verifiedAt: null } }]);
  });

  it('finds a file that is missing', async () => {
    await create();
    const { incus } = world.context;
    const exec = incus.exec.bind(incus);
    incus.exec = async (name, argv, options) => {
      if (argv.includes('sha256sum')) await exec(name, ['rm', '/home/alice/notes']);
      return exec(name, argv, options);
    };
    expect(refusal(await world.call('backup verify', { user: 'alice', backup: 'latest' }))).toMatchObject({
      code: 'backup-damaged',
      why: expect.stringMatching(/^1 of \d+ compared files .*notes/),
    });
  });

  it('needs the identity of an encrypted backup, and records nothing of it', async () => {
    const identity = await generateX25519Identity();
    await again({ recipients: [await identityToRecipient(identity)] });
    const { backup } = await create();
    expect(backup.isEncrypted).toBe(true);
    const verify = (more: object) => world.call('backup verify', { user: 'alice', backup: backup.id, ...more });
    expect(refusal(await verify({}))).toMatchObject({ code: 'usage', next: expect.stringContaining('--identity') });
    const other = await generateX25519Identity();
    expect(refusal(await verify({ identity: other }))).toMatchObject({ code: 'denied' });
    expect(refusal(await verify({ identity: 'no key' }))).toMatchObject({ code: 'usage' });
    expect(refusal(await verify({ identity: `# mine\n${identity}\n` }))).toMatchObject({ id: backup.id });
    expect(instances()).toEqual(['alice-container']);
    const journal = join(world.folder, 'journal');
    for (const name of await readdir(journal))
      expect(await readFile(join(journal, name), 'utf8')).not.toContain('AGE-SECRET-KEY');
  });
});

describe('pruning', () => {
  it('deletes what the settings do not keep, but neither the newest nor the newest verified one', async () => {
    await again({ keep: { daily: 1, weekly: 0, monthly: 0 } });
    const ids: string[] = [];
    for (let day = 1; day <= 4; day += 1) {
      await create();
      ids.push(`2026010${day}-000000-aaaa`);
      await nameBackup(kept, 'alice-container', ids.at(-1) ?? '');
      const manifest = pathOf(ids.at(-1) ?? '', 'manifest.json');
      const text = await readFile(manifest, 'utf8');
      await writeFile(manifest, text.replace(/"createdAt": ".*?"/, `"createdAt": "2026-01-0${day}T00:00:00.000Z"`));
    }
    await world.must('backup verify', { user: 'alice', backup: ids[1] });
    await writeFile(pathOf(ids[2] ?? '', 'manifest.json'), 'junk');
    const call = { ...callBy(), recorded: {} };
    const deleted = await pruneBackups(world.context, parseName('alice'), call);
    expect(deleted.map(({ id }) => id)).toEqual([ids[0]]);
    expect((await list()).map(({ id }) => id)).toEqual([ids[3], ids[2], ids[1]]);
    expect(await pruneBackups(world.context, parseName('alice'), call)).toEqual([]);
    expect(await world.faults()).toEqual([]);
  });
});

describe('backup delete', () => {
  it('deletes one, and no other', async () => {
    const [first, second] = [await create(), await create()];
    const deleted = await world.must('backup delete', { user: 'alice', backup: first.backup.id, yes: true });
    expect(deleted).toMatchObject({ id: first.backup.id, freedBytes: first.backup.storedBytes });
    expect(await readdir(join(kept, 'alice-container'))).toEqual([second.backup.id]);
    const repeated = await world.call('backup delete', { user: 'alice', backup: first.backup.id, yes: true });
    expect(refusal(repeated)).toMatchObject({ code: 'not-found' });
  });

  it('deletes one that cannot be read', async () => {
    const { backup } = await create();
    await writeFile(pathOf(backup.id, 'manifest.json'), 'junk');
    expect(await list()).toMatchObject([{ id: backup.id, backup: null, trouble: expect.stringContaining('JSON') }]);
    await world.must('backup delete', { user: 'alice', backup: backup.id, yes: true });
    expect(await readdir(kept)).toEqual([]);
  });

  it('wants the id of the backup as confirmation', async () => {
    const { backup } = await create();
    const outcome = await world.call('backup delete', { user: 'alice', backup: backup.id });
    expect(refusal(outcome)).toMatchObject({ code: 'confirmation-required' });
    expect(await list()).toHaveLength(1);
  });
});
