/** Scheduled backups, `delete --backup`, `backup rebuild` and what `doctor` says, on the simulated host. */
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeJobs } from '../../../src/core/schedule/jobs.ts';
import type { Check } from '../../../src/domain/results/upkeep.ts';
import { createContainer } from '../../../src/service/create.ts';
import { timeName } from '../../../src/domain/values/snapshotName.ts';
import { diskOf } from '../../../src/host/disks.ts';
import { BackupJob } from '../../../src/service/jobs/backupJob.ts';
import { alice, bob, callBy, hosts } from '../../support/world/hosts.ts';
import { newKey } from '../../support/world/keys.ts';
import { backupsPath, hostStateOf, statePath, World } from '../../support/world/world.ts';

const host = hosts(async (world) => {
  await world.must('image build');
  for (const user of [alice, bob])
    await createContainer(world.context, { user, keys: [newKey(`${user}@desk`)] }, callBy());
});

const daily = { every: 'daily', hour: 2 } as const;
const dayMs = 86_400_000;
const run = (world: World, days = 0): Promise<string | undefined> =>
  new BackupJob(daily).run({ ...world.context, now: () => new Date(Date.now() + days * dayMs) }, { mayDelete: true });
const check = async (world: World): Promise<Check | undefined> => {
  const { checks } = (await world.must('doctor')) as { checks: Check[] };
  return checks.find(({ name }) => name === 'backups');
};

describe('the backup job', () => {
  it('backs up every container at the hour of the settings', async () => {
    const world = await host();
    expect(new BackupJob(daily).pattern).toBe('47 2 * * *');
    expect(new BackupJob({ every: 'weekly', hour: 5 }).pattern).toBe('47 5 * * 0');
    expect(await run(world)).toBe('2 containers backed up');
    expect((await readdir(backupsPath(world.folder))).sort()).toEqual(['alice-container', 'bob-container']);
    expect(await world.faults()).toEqual([]);
  });

  it('keeps what the settings say, and no more', async () => {
    const world = await host({
      settings: { backups: { directory: '/nonexistent', keep: { daily: 2, weekly: 0, monthly: 0 } } },
    });
    const settings = { ...world.context.settings.backups, directory: backupsPath(world.folder) };
    const { openRepository } = await import('../../../src/service/backups/open.ts');
    Object.assign(world.context, { repository: () => openRepository(settings) });
    for (const day of [0, 1, 2]) await run(world, day);
    expect(await run(world, 3)).toBe('2 containers backed up; 2 old backups deleted');
    expect(await readdir(join(backupsPath(world.folder), 'alice-container'))).toHaveLength(2);
  });

  it('goes on with the others when one fails, and says whose', async () => {
    const world = await host();
    const create = world.context.incus.backups.create.bind(world.context.incus.backups);
    world.context.incus.backups.create = (name, ...rest) =>
      name === 'alice-container' ? Promise.reject(new Error('it cannot')) : create(name, ...rest);
    await expect(run(world)).rejects.toMatchObject({ what: expect.stringContaining('the backup of alice') as string });
    expect(await readdir(backupsPath(world.folder))).toEqual(['bob-container']);
  });

  it('is in the schedule only where a place for backups is set', async () => {
    const { settings: all } = (await host()).context;
    const names = (settings: object): string[] =>
      makeJobs({ ...all, backups: { ...all.backups, ...settings } }).map(({ name }) => name);
    expect(names({})).toContain('backups');
    expect(names({ directory: undefined })).not.toContain('backups');
    expect(names({ every: 'never' })).not.toContain('backups');
  });
});

describe('doctor', () => {
  it('finds containers whose backup is overdue, and none after the job has run', async () => {
    const world = await host({
      edit: (state) => {
        const old = state.instances['alice-container'];
        if (old !== undefined) old.createdAtMs -= 3 * dayMs;
      },
    });
    expect(await check(world)).toMatchObject({ severity: 'problem', detail: 'overdue for alice' });
    await run(world);
    expect(await check(world)).toMatchObject({ severity: 'ok' });
    expect(await world.must('list')).toMatchObject({
      containers: [
        { user: 'alice', lastBackupAt: expect.any(String) as string },
        { user: 'bob', lastBackupAt: expect.any(String) as string },
      ],
    });
  });

  it('says how many containers have a backup if the others are too young to need one', async () => {
    const world = await host();
    await world.must('backup create', { user: 'alice' });
    expect(await check(world)).toMatchObject({
      severity: 'ok',
      detail: '1 of 2 containers has one; the others are younger than 2 days',
    });
    await world.must('backup create', { user: 'bob' });
    expect(await check(world)).toMatchObject({ detail: 'every container has one that is new enough' });
  });

  it('takes no backup for new, nor for the latest, that a clock made which was a year ahead', async () => {
    const world = await host({
      edit: (state) => {
        const old = state.instances['alice-container'];
        if (old !== undefined) old.createdAtMs -= 3 * dayMs;
      },
    });
    await run(world, 365);
    expect(await check(world)).toMatchObject({ severity: 'problem', detail: 'overdue for alice' });
    await run(world);
    expect(await check(world)).toMatchObject({ severity: 'ok' });
    expect(await world.must('backup verify', { user: 'alice', backup: 'latest' })).toMatchObject({
      id: expect.stringMatching(new RegExp(`^${timeName(new Date()).slice(0, 4)}`)) as string,
    });
  });

  it('warns where no backups are made, and reports a store that does not answer', async () => {
    const off = await host({ settings: { backups: {} } });
    expect(await check(off)).toMatchObject({ severity: 'warning', detail: expect.stringContaining('none') as string });
    const lost = await host({ settings: { backups: { directory: '/nonexistent/backups' } } });
    expect(await check(lost)).toMatchObject({ severity: 'problem' });
  });

  it('tells the disk of a folder from that of another file system', async () => {
    expect(await diskOf('/proc')).toBeUndefined();
    await expect(diskOf('/nonexistent')).rejects.toThrow();
  });
});

describe('delete --backup', () => {
  it('makes a backup and verifies it before anything is deleted', async () => {
    const world = await host();
    const { backup, trash } = await world.must('delete', { user: 'alice', backup: true, purge: true, yes: true });
    expect(trash).toBeNull();
    const { backups } = await world.must('backup list', { user: 'alice' });
    expect(backups).toMatchObject([{ id: backup, backup: { verifiedAt: expect.any(String) as string } }]);
    await world.must('backup restore', { user: 'alice', backup, yes: true });
    expect(hostStateOf(world.folder).instances['alice-container']?.run).not.toBeNull();
    expect(await world.faults()).toEqual([]);
  });

  it('deletes nothing for good after a backup that this host cannot verify', async () => {
    const recipient = await identityToRecipient(await generateX25519Identity());
    const world = await host({ settings: { backups: { directory: '/nonexistent', recipients: [recipient] } } });
    const outcome = await world.call('delete', { user: 'alice', backup: true, purge: true, yes: true });
    expect(outcome).toMatchObject({ ok: false, failure: { code: 'wrong-state' } });
    expect(hostStateOf(world.folder).instances['alice-container']?.run).not.toBeNull();
  });

  it('deletes nothing if the backup cannot be made', async () => {
    const world = await host();
    await rm(backupsPath(world.folder), { recursive: true });
    const outcome = await world.call('delete', { user: 'alice', backup: true, yes: true });
    expect(outcome.ok).toBe(false);
    expect(hostStateOf(world.folder).instances['alice-container']?.run).not.toBeNull();
    expect(hostStateOf(world.folder).jumpKeys['alice']).toBeDefined();
  });
});

describe('backup rebuild', () => {
  it('makes all containers of a lost host again, from its backups alone', async () => {
    const world = await host();
    await world.must('label set', { user: 'alice', labels: ['team=red'] });
    await run(world);
    const before = hostStateOf(world.folder);
    await world.close();
    // A new host: no containers, no accounts, no keys, no images.
    await rm(statePath(world.folder));
    const fresh = await World.open(world.folder);
    try {
      expect(await fresh.must('backup rebuild')).toEqual({
        restored: ['alice', 'bob'],
        present: [],
        left: [],
        failed: [],
      });
      const after = hostStateOf(world.folder);
      expect(after.jumpKeys).toEqual(before.jumpKeys);
      for (const name of ['alice-container', 'bob-container']) {
        expect(after.instances[name]?.config).toMatchObject({
          'user.containarium.host-key': before.instances[name]?.config['user.containarium.host-key'],
          'limits.memory': '4GiB',
        });
        expect(after.instances[name]?.run).not.toBeNull();
      }
      expect(after.instances['alice-container']?.config['user.containarium.label.team']).toBe('red');
      expect(await fresh.faults()).toEqual([]);
      expect(await fresh.must('backup rebuild')).toMatchObject({ restored: [], present: ['alice', 'bob'] });
    } finally {
      await fresh.close();
    }
  });

  it('goes on after a backup that cannot be read, and names it', async () => {
    const world = await host();
    await run(world);
    const folder = join(backupsPath(world.folder), 'alice-container');
    const [id = ''] = await readdir(folder);
    await writeFile(join(folder, id, 'manifest.json'), 'nonsense');
    for (const user of ['alice', 'bob']) await world.must('delete', { user, purge: true, yes: true });
    expect(await world.must('backup rebuild')).toMatchObject({
      restored: ['bob'],
      failed: [{ user: 'alice', code: 'backup-damaged' }],
    });
  });

  it('fails for a user who is named and has no backup', async () => {
    const world = await host();
    await run(world);
    expect(await world.must('backup rebuild', { users: ['carla'] })).toMatchObject({
      restored: [],
      failed: [{ user: 'carla', code: 'not-found' }],
    });
  });

  it('gives back what was chosen for a container', async () => {
    const world = await host();
    await world.must('ttl set', { user: 'alice', when: '5d' });
    await world.must('snapshot schedule', { user: 'alice', every: 'hourly', keep: '3d' });
    await world.must('protect', { user: 'alice' });
    await world.must('stop', { user: 'alice' });
    const before = (await world.must('info', { user: 'alice' })) as { container: { expiresAt: string } };
    await run(world);
    await world.must('unprotect', { user: 'alice' });
    await world.must('delete', { user: 'alice', purge: true, yes: true });
    await world.must('backup restore', { user: 'alice', backup: 'latest', yes: true });
    expect(await world.must('info', { user: 'alice' })).toMatchObject({
      container: { status: 'stopped', protected: true, expiresAt: before.container.expiresAt },
    });
    expect(await world.must('snapshot list', { user: 'alice' })).toMatchObject({
      schedule: { every: 'hourly', keep: '3d' },
    });
    expect(await world.faults()).toEqual([]);
    expect(await world.must('reconcile')).toMatchObject({ differences: [] });
  });

  it('leaves who is in the trash, or was deleted long before, unless they are named', async () => {
    const world = await host();
    await run(world, -30);
    await world.must('delete', { user: 'alice', purge: true, yes: true });
    await run(world);
    await world.must('delete', { user: 'bob', yes: true });
    expect(await world.must('backup rebuild')).toMatchObject({
      restored: [],
      left: [{ user: 'alice' }, { user: 'bob', why: 'it is in the trash' }],
    });
    expect(await world.must('backup rebuild', { users: ['alice', 'bob'] })).toMatchObject({
      restored: ['alice', 'bob'],
    });
    expect(await world.faults()).toEqual([]);
  });
});
