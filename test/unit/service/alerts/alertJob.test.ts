/** The job of alerts on a simulated host with the container of alice: what it finds, and who is told. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { notesFor } from '../../../../src/core/entryPoints/notes.ts';
import type { AlertInfo, AlertList } from '../../../../src/domain/results/alerts.ts';
import { Failure } from '../../../../src/domain/failure.ts';
import { Conditions } from '../../../../src/service/alerts/conditions.ts';
import { createContainer } from '../../../../src/service/create.ts';
import { AlertJob } from '../../../../src/service/jobs/alertJob.ts';
import { alice, callBy, hosts, owner } from '../../../support/world/hosts.ts';
import { newKey } from '../../../support/world/keys.ts';
import { backupsPath, carol, hostStateOf, World } from '../../../support/world/world.ts';

const host = hosts(async (world) => {
  await world.must('image build');
  await createContainer(world.context, { user: alice, keys: [newKey('alice@desk')] }, callBy());
});
const mailed = { settings: { alerts: { mail: ['admin@example.org'] } } };

/** Runs the job once, with the firewall in force, as a server has it. */
async function look(world: World, job = new AlertJob()): Promise<string | undefined> {
  await world.context.firewall.apply();
  const did = await job.run(world.context);
  await world.context.alerts.delivery.settled();
  return did;
}

const openIn = ({ context }: World): string[] => context.alerts.open.map(({ code, subject }) => `${code} ${subject}`);
const listed = async (world: World, input = {}): Promise<AlertInfo[]> =>
  ((await world.must('alert list', input)) as AlertList).alerts as AlertInfo[];

/** Gives the pools this much used space, in percent. */
function fill({ context }: World, percent: number): void {
  context.incus.poolSpace = () => Promise.resolve({ usedBytes: percent, totalBytes: 100 });
}

describe('the job of alerts', () => {
  it('finds nothing on a host that is as it should be', async () => {
    const world = await host();
    await world.must('backup create', { user: alice });
    expect(await look(world)).toBeUndefined();
    expect(await listed(world)).toEqual([]);
    expect(hostStateOf(world.folder).mails).toEqual([]);
  });

  it('tells a full pool once by mail, in shells and at the next login, and once that it is over', async () => {
    const world = await host(mailed);
    const heard: string[] = [];
    world.context.room.enter('shell', carol, (notice) => notice.type === 'said' && heard.push(notice.text));
    const job = new AlertJob();
    fill(world, 91);
    expect(await look(world, job)).toBe('1 alert began, 0 over');
    expect(await look(world, job)).toBeUndefined();
    expect(openIn(world)).toEqual(['pool-space default']);
    expect(notesFor(carol, world.context, [])).toEqual([
      'Alert: the storage pool default is 91 % full. See: alert list',
    ]);
    expect(notesFor(owner(alice), world.context, [])).toEqual([]);
    fill(world, 20);
    for (let round = 0; round < 4; round += 1) await look(world, job);
    expect(openIn(world)).toEqual([]);
    expect(heard).toEqual([
      'Alert: the storage pool default is 91 % full',
      'Over: the storage pool default is 91 % full',
    ]);
    const mails = hostStateOf(world.folder).mails;
    expect(mails).toHaveLength(2);
    expect(mails[0]).toMatch(/^Subject: .*: alert: the storage pool default is 91 % full\r$/m);
    expect(mails[0]).toMatch(/^To: admin@example\.org\r$/m);
    expect(mails[1]).toMatch(/^Subject: .*: over: /m);
    expect(await listed(world)).toEqual([]);
    expect(await listed(world, { all: true })).toMatchObject([
      { code: 'pool-space', subject: 'default', endedAt: expect.any(String) as string },
    ]);
    expect(await world.must('audit', { target: 'default' })).toMatchObject({
      records: [
        { type: 'alert', kind: 'pool-space', outcome: 'begun' },
        { type: 'alert', kind: 'pool-space', outcome: 'over' },
      ],
    });
  });

  it('tells it after a restart too, and only once', async () => {
    const world = await host(mailed);
    fill(world, 98);
    await look(world);
    await world.close();
    const again = await World.open(world.folder, mailed);
    onTestFinished(() => again.close());
    fill(again, 98);
    await look(again);
    expect(openIn(again)).toEqual(['pool-space default']);
    expect(hostStateOf(again.folder).mails).toHaveLength(1);
  });

  it('does not call a query that failed an end', async () => {
    const world = await host();
    const job = new AlertJob();
    fill(world, 95);
    await look(world, job);
    const down = new Failure('incus-unavailable', { what: 'Incus', why: 'it does not answer' });
    world.context.incus.poolSpace = () => Promise.reject(down);
    for (let round = 0; round < 5; round += 1) await look(world, job);
    expect(openIn(world)).toEqual(['pool-space default', 'unknown pool-space']);
    expect((await listed(world)).at(-1)).toMatchObject({
      text: 'cannot tell how full the storage pools are: Incus: it does not answer',
    });
  });

  it.each<[string, string[], (world: World) => void]>([
    [
      'a full container',
      ['quota alice'],
      ({ context: { incus } }) => {
        const read = incus.instancesWithState.bind(incus);
        incus.instancesWithState = async (signal) =>
          (await read(signal)).map((instance) => ({
            ...instance,
            state: { ...instance.state, disk: { root: { usage: 49 * 1024 ** 3, total: 0 } } } as typeof instance.state,
          }));
      },
    ],
    [
      'a storm of bans',
      ['ban-storm bans'],
      ({ context: { bans } }) => {
        for (let number = 0; number < 60; number += 1)
          bans.penalised({ source: `203.0.113.${number}`, why: 'failedLogin', times: 1, untilMs: Date.now() + 60_000 });
      },
    ],
    [
      'a place for backups that is gone',
      ['backup backups'],
      ({ context: { backupAges } }) => {
        backupAges.refresh = () => Promise.resolve();
      },
    ],
  ])('finds %s', async (_what, expected, prepare) => {
    const world = await host();
    prepare(world);
    if (expected[0]?.startsWith('backup') === true) await rm(backupsPath(world.folder), { recursive: true });
    const job = new AlertJob();
    await look(world, job);
    await look(world, job);
    expect(openIn(world).map((one) => one.replace('unknown backup', 'backup backups'))).toEqual(expected);
  });

  it('finds a pool of ZFS that is degraded, and says what ZFS says', async () => {
    const world = await host({
      edit: ({ pools }) => {
        for (const pool of pools) Object.assign(pool, { driver: 'zfs', config: { 'zfs.pool_name': 'tank/incus' } });
        Object.assign(pools[0] ?? {}, { trouble: 'One or more devices could not be used' });
      },
    });
    await look(world);
    expect(await listed(world)).toMatchObject([
      {
        code: 'pool',
        subject: 'default',
        severity: 'problem',
        text: 'storage: pool default: DEGRADED: One or more devices could not be used',
      },
    ]);
  });

  it('finds a firewall that was removed', async () => {
    const world = await host();
    await new AlertJob().run(world.context);
    expect(openIn(world)).toEqual(['firewall firewall']);
  });

  it('finds a key of an admin that expires, a job that failed, and an anchor that was not written', async () => {
    const world = await host({ settings: { journal: { anchor: { file: '/proc/anchors' } } } });
    const inAWeek = new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '');
    await world.must('admin add', { name: 'dora', keys: `expiry-time="${inAWeek}" ${newKey('dora@desk').line}` });
    await world.call('schedule run', { job: 'anchor' });
    await look(world);
    expect(openIn(world)).toEqual([expect.stringMatching(/^key SHA256:/), 'job anchor', 'anchor journal']);
    // The notes of the schedule tell of the job.
    expect(notesFor(carol, world.context, []).filter((note) => note.includes('"anchor"'))).toHaveLength(1);
  });

  it('keeps a message that sendmail does not take, says so, and sends it when it does', async () => {
    const world = await host({ ...mailed, faults: [{ match: { program: 'sendmail' }, mode: 'fail-before' }] });
    const job = new AlertJob();
    fill(world, 91);
    await look(world, job);
    expect(world.context.alerts.delivery.channels).toMatchObject([{ queued: 1, lastOutcome: 'failed' }]);
    const { checks } = await world.must('doctor');
    expect(checks).toContainEqual(
      expect.objectContaining({
        name: 'alerts',
        severity: 'warning',
        detail: expect.stringContaining('mail: 1 message waiting') as string,
      }),
    );
    await look(world, job);
    expect(hostStateOf(world.folder).mails.length).toBeGreaterThan(0);
    expect(world.context.alerts.delivery.channels).toMatchObject([{ queued: 0, lastOutcome: 'ok' }]);
  });

  it('does not wait for a mail server that hangs', async () => {
    const world = await host({ ...mailed, faults: [{ match: { program: 'sendmail' }, mode: 'hang' }] });
    fill(world, 91);
    await world.context.firewall.apply();
    expect(await new AlertJob().run(world.context)).toBe('1 alert began, 0 over');
    await world.context.alerts.delivery.settled();
    expect(world.context.alerts.delivery.channels).toMatchObject([{ queued: 1, lastOutcome: 'failed' }]);
  });
});

describe('the state of alerts', () => {
  it('that cannot be written keeps nobody from being told', async () => {
    const world = await host(mailed);
    fill(world, 91);
    await world.context.firewall.apply();
    await mkdir(join(world.folder, 'alerts.json'));
    await expect(new AlertJob().run(world.context)).rejects.toMatchObject({ code: 'internal' });
    await world.context.alerts.delivery.settled();
    expect(hostStateOf(world.folder).mails).toHaveLength(1);
    expect(openIn(world)).toEqual(['pool-space default']);
  });

  it('that cannot be read is left alone, and what is open is told again', async () => {
    const before = await host();
    await before.close();
    const { folder } = before;
    await writeFile(join(folder, 'alerts.json'), '{"alerts":');
    const world = await World.open(folder, mailed);
    onTestFinished(() => world.close());
    fill(world, 91);
    await look(world);
    expect(hostStateOf(folder).mails).toHaveLength(1);
    expect(await readFile(join(folder, 'alerts.json'), 'utf8')).toBe('{"alerts":');
  });
});

describe('conditions', () => {
  it('are looked at as often as each says, and again at once if a look failed', async () => {
    const world = await host();
    const looks: string[] = [];
    let fails = true;
    const conditions = new Conditions([
      { code: 'pool', what: 'a', look: () => (looks.push('pool'), []) },
      {
        code: 'backup',
        what: 'b',
        everyMs: 3_600_000,
        look: () => {
          looks.push('backup');
          if (fails) throw new Error('it is down');
          return [];
        },
      },
    ]);
    await conditions.look(world.context);
    fails = false;
    await conditions.look(world.context);
    await conditions.look(world.context);
    expect(looks).toEqual(['pool', 'backup', 'pool', 'backup', 'pool']);
  });
});

describe('a look that hangs', () => {
  it('says so after a minute, and is not repeated until it has ended', async () => {
    const world = await host();
    let looks = 0;
    const store = Promise.withResolvers<[]>();
    const conditions = new Conditions([
      { code: 'backup', what: 'whether the backups are in order', look: () => (looks++, store.promise) },
    ]);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const first = conditions.look(world.context);
      await vi.advanceTimersByTimeAsync(60_000);
      const failed = { failure: { text: expect.stringContaining('it did not answer within 60 seconds') as string } };
      expect(await first).toMatchObject([failed]);
      expect(await conditions.look(world.context)).toMatchObject([failed]);
      expect(looks).toBe(1);
      store.resolve([]);
      await vi.advanceTimersByTimeAsync(0);
      expect(await conditions.look(world.context)).toMatchObject([{ findings: [] }]);
      expect(looks).toBe(2);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('alert test', () => {
  it('sends a message and says what became of it in each channel', async () => {
    const world = await host(mailed);
    expect(await world.must('alert test')).toEqual({
      channels: [{ name: 'mail', to: 'admin@example.org', outcome: 'ok', text: 'sent' }],
    });
    expect(hostStateOf(world.folder).mails[0]).toMatch(/carol tests whether alerts arrive/);
  });

  it('says what sendmail said, and fails', async () => {
    const faults = [{ match: { program: 'sendmail' }, mode: 'fail-before', message: 'postfix: queue full' }] as const;
    const world = await host({ ...mailed, faults });
    expect(await world.must('alert test')).toMatchObject({
      channels: [{ outcome: 'failed', text: '"sendmail -t": postfix: queue full' }],
    });
  });

  it('is refused without a way', async () => {
    const world = await host();
    expect(await world.call('alert test')).toMatchObject({ ok: false, failure: { code: 'settings' } });
  });
});

it('a plan of the job tells nobody, and keeps its state to itself', async () => {
  const world = await host(mailed);
  fill(world, 99);
  await world.context.firewall.apply();
  expect(await world.plan('schedule run', { job: 'alerts' })).toMatchObject({ ok: true });
  expect(openIn(world)).toEqual([]);
  expect(hostStateOf(world.folder).mails).toEqual([]);
});
