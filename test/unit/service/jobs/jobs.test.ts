/** The jobs of the scheduler, on a simulated host with the containers of alice and bob. */
import { describe, expect, it, vi } from 'vitest';
import { Failure } from '../../../../src/domain/failure.ts';
import { createContainer } from '../../../../src/service/create.ts';
import { deleteContainer } from '../../../../src/service/delete.ts';
import type { Job } from '../../../../src/service/jobs/job.ts';
import { TrashJob } from '../../../../src/service/jobs/trashJob.ts';
import { TtlJob } from '../../../../src/service/jobs/ttlJob.ts';
import { endingNotes, scheduleNotes } from '../../../../src/service/jobs/notes.ts';
import { parseName } from '../../../../src/domain/values/username.ts';
import { protectContainer } from '../../../../src/service/protect.ts';
import { clearTtl, setTtl } from '../../../../src/service/ttl.ts';
import { alice, bob, callBy, hosts, owner } from '../../../support/world/hosts.ts';
import { newKey } from '../../../support/world/keys.ts';
import { carol, hostStateOf, type World } from '../../../support/world/world.ts';

const host = hosts(async (world) => {
  await world.must('image build');
  for (const user of [alice, bob])
    await createContainer(world.context, { user, keys: [newKey(`${user}@desk`)] }, callBy());
});

const dayMs = 86_400_000;
const inDays = (days: number): string => new Date(Date.now() + days * dayMs).toISOString();
/** Runs a job as if it were so many days later. */
const run = (world: World, job: Job, days = 0, mayDelete = true): Promise<string | undefined> =>
  job.run({ ...world.context, now: () => new Date(Date.now() + days * dayMs) }, { mayDelete });
const names = (world: World): string[] => Object.keys(hostStateOf(world.folder).instances).sort();

/** Returns what the room tells an admin. */
function listen({ context }: World): string[] {
  const heard: string[] = [];
  context.room.enter('shell', carol, (notice) => notice.type === 'said' && heard.push(notice.text));
  return heard;
}

describe('the trash job', () => {
  it('purges what is due, and nothing before', async () => {
    const world = await host();
    await deleteContainer(world.context, { user: alice }, callBy());
    expect(await run(world, new TrashJob(), 6)).toBeUndefined();
    expect(names(world)).toHaveLength(2);
    expect(await run(world, new TrashJob(), 8)).toMatch(/^1 container purged: alice-container-/);
    expect(names(world)).toEqual(['bob-container']);
    expect(await world.faults()).toEqual([]);
  });

  it('purges nothing while the clock cannot be trusted', async () => {
    const world = await host();
    await deleteContainer(world.context, { user: alice }, callBy());
    expect(await run(world, new TrashJob(), 8, false)).toBe('1 container would be due');
    expect(names(world)).toHaveLength(2);
  });

  it('tries the others when one cannot be purged, and fails', async () => {
    const world = await host();
    for (const user of [alice, bob]) await deleteContainer(world.context, { user }, callBy());
    const remove = world.context.incus.delete.bind(world.context.incus);
    const failure = new Failure('program-failed', { what: 'incus', why: 'it cannot' });
    world.context.incus.delete = (name) => (name.startsWith('alice') ? Promise.reject(failure) : remove(name));
    await expect(run(world, new TrashJob(), 8)).rejects.toMatchObject({ code: 'program-failed' });
    expect(names(world)).toHaveLength(1);
  });

  /** Runs a job now, and again as if an hour had passed. */
  const announceAndRun = async (world: World, job: Job): Promise<string | undefined> => {
    expect(await run(world, job)).toBeUndefined();
    expect(await run(world, job)).toBeUndefined();
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 3_600_000);
    return run(world, job).finally(() => vi.restoreAllMocks());
  };
  /** Gives the pool this much used space, in percent, and returns what sets it. */
  const usedSpace = ({ context }: World, percent: number): { percent: number } => {
    const used = { percent };
    context.incus.poolSpace = () => Promise.resolve({ usedBytes: used.percent, totalBytes: 100 });
    return used;
  };

  it('purges the oldest early if the pool runs low, an hour after it was announced', async () => {
    const world = await host();
    for (const user of [alice, bob]) await deleteContainer(world.context, { user }, callBy());
    const heard = listen(world);
    const used = usedSpace(world, 95);
    const remove = world.context.incus.delete.bind(world.context.incus);
    world.context.incus.delete = (name) => ((used.percent -= 10), remove(name));
    const job = new TrashJob();
    expect(await announceAndRun(world, job)).toMatch(/^1 container purged early: alice-container-/);
    expect(heard).toEqual([
      expect.stringMatching(/^Less than 10 % of the storage pool default is free\. In an hour .*alice-container-/),
    ]);
    expect(await run(world, job)).toBeUndefined();
    expect(names(world)).toMatchObject([expect.stringMatching(/^bob-container-/)]);
  });

  it('that cannot purge one container purges the others of a low pool, then snapshots, and fails', async () => {
    const world = await host();
    const eve = parseName('eve');
    await createContainer(world.context, { user: eve, keys: [newKey('eve@desk')] }, callBy());
    await take(world, [
      ['eve', 'auto-1'],
      ['eve', 'auto-2'],
    ]);
    for (const user of [alice, bob]) await deleteContainer(world.context, { user }, callBy());
    usedSpace(world, 95);
    const remove = world.context.incus.delete.bind(world.context.incus);
    const failure = new Failure('program-failed', { what: 'incus', why: 'dataset is busy' });
    world.context.incus.delete = (name) => (name.startsWith('alice') ? Promise.reject(failure) : remove(name));
    const job = new TrashJob(() => Promise.resolve());
    await expect(announceAndRun(world, job)).rejects.toMatchObject({ why: 'dataset is busy' });
    expect(names(world)).toMatchObject([expect.stringMatching(/^alice-container-/), 'eve-container']);
    expect(snapshotsOf(world)).toEqual(['auto-2']);
  });

  it('purges no more than it must while the pool has yet to free the space', async () => {
    const world = await host();
    for (const user of [alice, bob]) await deleteContainer(world.context, { user }, callBy());
    const used = usedSpace(world, 95);
    let waitedMs = 0;
    // As btrfs does, at its next commit.
    const job = new TrashJob((ms) => {
      waitedMs += ms;
      if (waitedMs >= 30_000) used.percent = 80;
      return Promise.resolve();
    });
    expect(await announceAndRun(world, job)).toMatch(/^1 container purged early: alice-container-/);
    expect(waitedMs).toBe(30_000);
    expect(names(world)).toMatchObject([expect.stringMatching(/^bob-container-/)]);
  });

  const take = async (world: World, snapshots: readonly (readonly [user: string, name: string])[]): Promise<void> => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      for (const [user, name] of snapshots) {
        vi.advanceTimersByTime(60_000);
        await world.context.incus.snapshots.create(`${user}-container`, name);
      }
    } finally {
      vi.useRealTimers();
    }
  };
  const snapshotsOf = (world: World): string[] =>
    Object.values(hostStateOf(world.folder).instances).flatMap(({ snapshots }) => snapshots.map(({ name }) => name));

  it('deletes the oldest scheduled snapshots of a low pool, but none of a person and never the newest', async () => {
    const world = await host();
    await take(world, [
      ['alice', 'auto-1'],
      ['alice', 'before-upgrade'],
      ['alice', 'before-restore-1'],
      ['alice', 'own-1'],
      ['bob', 'auto-2'],
      ['alice', 'auto-3'],
      ['alice', 'auto-4'],
    ]);
    const heard = listen(world);
    usedSpace(world, 95);
    const job = new TrashJob(() => Promise.resolve());
    expect(await announceAndRun(world, job)).toBe('2 scheduled snapshots deleted early');
    expect(heard).toEqual([
      'Less than 10 % of the storage pool default is free. In an hour the oldest scheduled snapshots are deleted, but never the newest of a container.',
    ]);
    expect(snapshotsOf(world).sort()).toEqual(['auto-2', 'auto-4', 'before-restore-1', 'before-upgrade', 'own-1']);
    // Nothing is left that may go, so nothing is announced.
    expect(await run(world, job)).toBeUndefined();
    expect(heard).toHaveLength(1);
    expect(await world.faults()).toEqual([]);
  });

  it('stops deleting snapshots when the pool is not low any more', async () => {
    const world = await host();
    await take(world, [
      ['alice', 'auto-1'],
      ['bob', 'auto-2'],
      ['alice', 'auto-3'],
      ['bob', 'auto-4'],
    ]);
    const used = usedSpace(world, 95);
    const { snapshots } = world.context.incus;
    const remove = snapshots.delete.bind(snapshots);
    snapshots.delete = (instance, name) => ((used.percent -= 10), remove(instance, name));
    expect(await announceAndRun(world, new TrashJob())).toBe('1 scheduled snapshot deleted early');
    expect(snapshotsOf(world).sort()).toEqual(['auto-2', 'auto-3', 'auto-4']);
  });

  it('deletes snapshots only after the trash, and says so before', async () => {
    const world = await host();
    await take(world, [
      ['alice', 'auto-1'],
      ['alice', 'auto-2'],
    ]);
    await deleteContainer(world.context, { user: bob }, callBy());
    const heard = listen(world);
    usedSpace(world, 95);
    expect(await announceAndRun(world, new TrashJob(() => Promise.resolve()))).toMatch(
      /^1 container purged early: bob-container-\S+; 1 scheduled snapshot deleted early$/,
    );
    expect(heard.join()).toMatch(/bob-container-.*If that is not enough, the oldest scheduled snapshots are deleted/);
  });

  it('deletes no snapshot while the clock cannot be trusted', async () => {
    const world = await host();
    await take(world, [
      ['alice', 'auto-1'],
      ['alice', 'auto-2'],
    ]);
    usedSpace(world, 95);
    const job = new TrashJob(() => Promise.resolve());
    expect(await run(world, job, 0, false)).toBeUndefined();
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 3_600_000);
    expect(await run(world, job, 0, false).finally(() => vi.restoreAllMocks())).toBeUndefined();
    expect(snapshotsOf(world)).toHaveLength(2);
  });
});

describe('the ttl job', () => {
  it('tells the admins before, and moves the container to the trash when its time has come', async () => {
    const world = await host();
    await setTtl(world.context, { user: alice, when: inDays(10) }, callBy());
    const heard = listen(world);
    const job = new TtlJob();
    expect(await run(world, job)).toBeUndefined();
    expect(heard).toEqual([]);
    await run(world, job, 8);
    await run(world, job, 9);
    expect(heard).toEqual([
      expect.stringMatching(/^alice's container moves to the trash in .*"ttl clear alice" keeps it/),
    ]);
    expect(await run(world, job, 11, false)).toBe('1 container would be due');
    expect(await run(world, job, 11)).toBe('moved to the trash: alice');
    expect(names(world)).toMatchObject([expect.stringMatching(/^alice-container-/), 'bob-container']);
    expect(heard.at(-1)).toContain('"trash restore alice"');
    expect(await world.faults()).toEqual([]);
  });

  it('is not asked for a container whose time was cleared, and leaves a protected one', async () => {
    const world = await host();
    for (const user of [alice, bob]) await setTtl(world.context, { user, when: inDays(1) }, callBy());
    await clearTtl(world.context, { user: alice }, callBy());
    await protectContainer(world.context, { user: bob }, callBy());
    expect(await run(world, new TtlJob(), 2)).toBe('bob is due and protected');
    expect(names(world)).toEqual(['alice-container', 'bob-container']);
  });

  it('brings no container back to the trash that was restored after its time', async () => {
    const world = await host();
    await setTtl(world.context, { user: alice, when: inDays(1) }, callBy());
    await world.context.incus.patch('alice-container', { config: { 'user.containarium.expires': inDays(-1) } });
    await run(world, new TtlJob());
    await world.must('trash restore', { user: 'alice' });
    expect(await run(world, new TtlJob())).toBeUndefined();
    expect(names(world)).toContain('alice-container');
  });
});

describe('a person who opens a shell', () => {
  const settings = { ttl: { warn: '3d' } };
  const now = new Date('2026-11-29T12:00:00Z');
  const endings = [
    { user: 'alice', expiresAt: '2026-12-01T12:00:00Z' },
    { user: 'bob', expiresAt: '2026-12-09T12:00:00Z' },
  ];

  it('is told of containers that end soon: an admin of all, an owner of their own', () => {
    expect(endingNotes(carol, endings, settings, now)).toEqual([
      'alice\'s container moves to the trash in 2 days. "ttl clear alice" keeps it.',
    ]);
    expect(endingNotes(owner(alice), endings, settings, now)).toEqual([
      'The container of alice is deleted in 2 days. If you need it longer, ask an admin.',
    ]);
    expect(endingNotes(owner(bob), endings, settings, now)).toEqual([]);
  });

  it('is told as an admin of a failed job and of a clock that jumped', () => {
    const job = { name: 'trash', summary: '', pattern: '', next: '', lastAt: null, lateMs: 0 };
    const jobs = [{ ...job, lastOutcome: 'failed' as const, lastText: 'Incus: no answer' }];
    const notes = scheduleNotes(carol, { jobs, heldUntil: '2026-11-30T12:00:00Z' });
    expect(notes).toEqual([
      expect.stringContaining('nothing is deleted by the clock'),
      'The job "trash" failed: Incus: no answer. See: schedule list',
    ]);
    expect(scheduleNotes(owner(alice), { jobs, heldUntil: null })).toEqual([]);
  });
});
