/** `backup restore` on the simulated host. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { InstanceRecord } from '../../../src/simulated/state/state.ts';
import { newKey } from '../../support/world/keys.ts';
import { backupsPath, hostStateOf, World, type Outcome } from '../../support/world/world.ts';

const alice = { user: 'alice' } as const;
const keys = { desk: newKey('alice@desk').line, laptop: newKey('alice@laptop').line };
const notes = '/home/alice/notes';
const managed = '/etc/ssh/authorized_keys.d/alice';

let folder: string;
let world: World;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'containarium-restore-'));
  world = await World.open(folder);
  await world.must('create', { ...alice, keys: keys.desk });
  await write('then');
});
afterEach(async () => {
  await world.close();
  await rm(folder, { recursive: true, force: true });
});

const write = (content: string): Promise<void> =>
  world.context.incus.pushFile({ instance: 'alice-container', path: notes, content, mode: '0644' });
const present = (): InstanceRecord => {
  const found = hostStateOf(folder).instances['alice-container'];
  if (found === undefined) throw new Error('the host has no container of alice');
  return found;
};
const instances = (): string[] => Object.keys(hostStateOf(folder).instances);
const restore = (more: object = {}): Promise<Outcome> =>
  world.call('backup restore', { ...alice, backup: 'latest', yes: true, ...more });
const mustRestore = async (): Promise<{ before: string; status: string }> => {
  const outcome = await restore();
  if (!outcome.ok) throw outcome.failure;
  return outcome.result as { before: string; status: string };
};

describe('a restore of a backup', () => {
  it('brings back the files, and no keys, limits or labels', async () => {
    await world.must('backup create', alice);
    await write('now');
    await world.must('key replace', { ...alice, keys: keys.laptop });
    await world.must('resize', { ...alice, cpu: '2', memory: '8GiB' });
    const { config, devices } = present();
    expect(await mustRestore()).toMatchObject({ status: 'running' });
    expect(present().files[notes]?.content).toBe('then');
    expect(present().files[managed]?.content).toContain(keys.laptop.split(' ')[1]);
    expect(present().files[managed]?.content).not.toContain(keys.desk.split(' ')[1]);
    const ours = (all: Readonly<Record<string, string>>): object =>
      Object.fromEntries(Object.entries(all).filter(([key]) => !/^(volatile|image)\.|\.operation$/.test(key)));
    expect(ours(present().config)).toEqual(ours(config));
    expect(present().devices).toEqual(devices);
    expect(await world.faults()).toEqual([]);
  });

  it('is taken back by a restore of the snapshot that it made', async () => {
    await world.must('backup create', alice);
    await write('now');
    const { before } = await mustRestore();
    await world.must('snapshot restore', { ...alice, snapshot: before, yes: true });
    expect(present().files[notes]?.content).toBe('now');
    expect(await world.faults()).toEqual([]);
  });

  it('leaves a stopped container stopped', async () => {
    await world.must('backup create', alice);
    await world.must('stop', alice);
    expect(await mustRestore()).toMatchObject({ status: 'stopped' });
    expect(present().run).toBeNull();
  });

  it('keeps the host key that the restored container has, and the address of now', async () => {
    await world.must('backup create', alice);
    const old = present();
    // The container is another one now, with another host key and another address.
    await world.must('delete', { ...alice, purge: true, yes: true });
    await world.must('create', { user: 'bob', keys: keys.laptop });
    await world.must('create', { ...alice, keys: keys.desk });
    const address = present().devices['eth0']?.['ipv4.address'];
    expect(address).not.toBe(old.devices['eth0']?.['ipv4.address']);
    await mustRestore();
    expect(present().config['user.containarium.host-key']).toBe(old.config['user.containarium.host-key']);
    expect(present().run).toMatchObject({ address, hostKey: old.config['user.containarium.host-key'] });
    expect(present().files['/etc/systemd/network/05-containarium.network']?.content).toContain(`Address=${address}/24`);
    expect(await world.faults()).toEqual([]);
  });

  it('lets the backup decide nothing about the configuration', async () => {
    await world.context.incus.patch('alice-container', {
      config: { 'security.privileged': 'true', 'linux.kernel_modules': 'evil' },
      devices: { host: { type: 'disk', path: '/mnt', source: '/' } },
    });
    await world.must('backup create', alice);
    await world.context.incus.patch('alice-container', {
      config: { 'security.privileged': '', 'linux.kernel_modules': '' },
      devices: { host: { type: 'none' } },
    });
    await mustRestore();
    expect(present().config['security.privileged']).toBeUndefined();
    expect(present().config['linux.kernel_modules']).toBeUndefined();
    expect(present().devices['host']).toEqual({ type: 'none' });
  });

  it('has user ids of its own', async () => {
    await world.must('create', { user: 'bob', keys: keys.laptop });
    await world.must('backup create', alice);
    await mustRestore();
    const bases = Object.values(hostStateOf(folder).instances)
      .filter(({ config }) => config['user.containarium.replaced'] === undefined)
      .map(({ config }) => config['volatile.idmap.base']);
    expect(new Set(bases).size).toBe(bases.length);
  });

  it('changes nothing if the backup is damaged', async () => {
    const { backup } = await world.must('backup create', alice);
    const path = join(backupsPath(folder), 'alice-container', backup.id, 'data');
    const data = await readFile(path);
    data[data.length - 3] = (data.at(-3) ?? 0) ^ 1;
    await writeFile(path, data);
    await write('now');
    const outcome = await restore();
    expect(outcome).toMatchObject({ ok: false, failure: { code: 'backup-damaged' } });
    expect(instances()).toEqual(['alice-container']);
    expect(present()).toMatchObject({ run: { pid: expect.any(Number) }, files: { [notes]: { content: 'now' } } });
    expect(await world.faults()).toEqual([]);
  });

  it('of an encrypted backup needs its identity', async () => {
    const identity = await generateX25519Identity();
    await world.close();
    const recipients = [await identityToRecipient(identity)];
    world = await World.open(folder, { settings: { backups: { directory: backupsPath(folder), recipients } } });
    await world.must('backup create', alice);
    await write('now');
    expect(await restore()).toMatchObject({ ok: false, failure: { code: 'usage' } });
    expect(await restore({ identity })).toMatchObject({ ok: true });
    expect(present().files[notes]?.content).toBe('then');
  });
});

describe('a restore of a container that is gone', () => {
  const lose = async (): Promise<InstanceRecord> => {
    await world.must('resize', { ...alice, cpu: '2', memory: '8GiB', disk: '20GiB' });
    await world.must('backup create', alice);
    const was = present();
    await world.must('delete', { ...alice, purge: true, yes: true });
    return was;
  };

  it('makes it again, with account, keys, limits, address and host key', async () => {
    const was = await lose();
    expect(await mustRestore()).toMatchObject({ status: 'running', before: null });
    const { config, devices, run, files } = present();
    expect(files[notes]?.content).toBe('then');
    expect(devices).toEqual(was.devices);
    for (const key of ['limits.cpu', 'limits.memory', 'security.nesting', 'boot.autostart'])
      expect(config[key]).toBe(was.config[key]);
    for (const key of ['owner', 'keys', 'host-key', 'address', 'image'])
      expect(config[`user.containarium.${key}`]).toBe(was.config[`user.containarium.${key}`]);
    expect(run).toMatchObject({ hostKey: was.config['user.containarium.host-key'] });
    const state = hostStateOf(folder);
    expect(state.accounts.find(({ name }) => name === 'alice')).toBeDefined();
    expect(state.jumpKeys['alice']).toContain(keys.desk.split(' ')[1]);
    expect(await world.faults()).toEqual([]);
    await world.must('key add', { ...alice, keys: keys.laptop });
  });

  it('gives it another address if its own is taken', async () => {
    const was = await lose();
    await world.must('create', { user: 'bob', keys: keys.laptop });
    await mustRestore();
    const { devices, files } = present();
    const address = devices['eth0']?.['ipv4.address'];
    expect(address).not.toBe(was.devices['eth0']?.['ipv4.address']);
    expect(files['/etc/systemd/network/05-containarium.network']?.content).toContain(`Address=${address}/24`);
    expect(hostStateOf(folder).jumpKeys['alice']).toContain(`permitopen="${address}:22"`);
    expect(await world.faults()).toEqual([]);
  });

  it('lets the backup decide nothing that reaches beyond the container', async () => {
    await world.context.incus.patch('alice-container', {
      config: {
        'security.privileged': 'true',
        'linux.kernel_modules': 'evil',
        'limits.cpu': '0-1',
        'security.idmap.isolated': 'false',
      },
      devices: { host: { type: 'disk', path: '/mnt', source: '/' } },
    });
    await world.must('backup create', alice);
    await world.must('delete', { ...alice, purge: true, yes: true });
    await mustRestore();
    const { config, devices } = present();
    expect(config['security.privileged']).toBeUndefined();
    expect(config['linux.kernel_modules']).toBeUndefined();
    expect(config['limits.cpu']).toBe('4');
    expect(config['security.idmap.isolated']).toBe('true');
    expect(devices['host']).toEqual({ type: 'none' });
    expect(devices['eth0']).toMatchObject({ 'security.ipv4_filtering': 'true', 'security.port_isolation': 'true' });
  });

  it('is refused while an account of the name exists', async () => {
    await lose();
    await world.context.accounts.ensureGroup('other');
    await world.context.accounts.create({ name: 'alice', comment: 'Alice, not ours', group: 'other' });
    expect(await restore()).toMatchObject({
      ok: false,
      failure: {
        code: 'not-ours',
        what: 'account "alice"',
        next: 'on the host, "usermod --login" gives it another name',
      },
    });
    expect(instances()).toEqual([]);
    expect(await world.faults()).toEqual([]);
  });

  it('is refused while a jump account is left over, which reconcile removes', async () => {
    await lose();
    const { accounts, settings } = world.context;
    const comment = 'containarium jump account of alice - 01ARZ3NDEKTSV4RRFFQ69G5FAV';
    await accounts.create({ name: 'alice', comment, group: settings.jump.group });
    expect(await restore()).toMatchObject({
      ok: false,
      failure: { code: 'exists', what: 'jump account "alice"', next: '"reconcile --apply" removes it' },
    });
  });

  it('is refused while an earlier state of the container exists', async () => {
    await world.must('backup create', alice);
    await mustRestore();
    await world.context.incus.delete('alice-container');
    await world.must('reconcile', { apply: true });
    expect(await restore()).toMatchObject({ ok: false, failure: { code: 'exists' } });
  });
});
