/** The simulated programs that carry messages out of the host, and those of ZFS pools, as the real ones answer. */
import { expect, it } from 'vitest';
import { lastScrub, poolTrouble, zpoolOf } from '../../../src/host/zpool.ts';
import { sendmail } from '../../../src/host/outside/sendmail.ts';
import { logToSyslog } from '../../../src/host/outside/syslog.ts';
import type { Output, Runner } from '../../../src/host/runner.ts';
import { hosts } from '../../support/world/hosts.ts';
import { SimulatedHost } from '../../../src/simulated/host.ts';
import { hostStateOf, statePath } from '../../support/world/world.ts';

// A host that nothing has changed yet has no file.
const host = hosts((world) => world.must('image build'));
const onZfs = {
  edit: ({ pools }: { pools: object[] }) => {
    for (const pool of pools) Object.assign(pool, { driver: 'zfs', config: { 'zfs.pool_name': 'tank/incus' } });
  },
};

async function runnerOf(options = {}): Promise<{ readonly runner: Runner; readonly folder: string }> {
  const { folder } = await host(options);
  return { runner: SimulatedHost.open(statePath(folder)).runner, folder };
}

it('sendmail takes a message with recipients in its header, and refuses one without', async () => {
  const { runner, folder } = await runnerOf();
  await sendmail(runner, 'To: admin@example.org\r\nSubject: a\r\n\r\n.\r\nend\r\n');
  expect(hostStateOf(folder).mails).toEqual(['To: admin@example.org\r\nSubject: a\r\n\r\n.\r\nend\r\n']);
  await expect(sendmail(runner, 'Subject: a\r\n\r\nTo nobody\r\n')).rejects.toMatchObject({
    code: 'program-failed',
    details: { exitCode: 65 },
  });
});

it('logger takes a line that begins with a dash', async () => {
  const { runner, folder } = await runnerOf();
  await logToSyslog(runner, '-p kern.emerg');
  expect(hostStateOf(folder).syslog).toEqual(['-p kern.emerg']);
});

it('the simulated host keeps the newest hundred messages', async () => {
  const { runner, folder } = await runnerOf();
  for (let number = 0; number < 103; number += 1) await logToSyslog(runner, `line ${number}`);
  expect(hostStateOf(folder).syslog).toHaveLength(100);
  expect(hostStateOf(folder).syslog[0]).toBe('line 3');
});

it('zpool answers for a pool that Incus has a dataset of, and for no other', async () => {
  const { runner } = await runnerOf(onZfs);
  expect(await poolTrouble(runner, 'tank')).toBeUndefined();
  expect(await lastScrub(runner, 'tank')).toEqual({ isRunning: false, endedAt: undefined });
  await expect(poolTrouble(runner, 'other')).rejects.toMatchObject({ code: 'program-failed', why: /no such pool/ });
});

it('zpool says when a scrub has ended', async () => {
  const { runner } = await runnerOf(onZfs);
  const beforeMs = Date.now();
  await runner.run({ program: 'zpool', args: ['scrub', 'tank'], timeoutMs: 1000 });
  const { endedAt } = await lastScrub(runner, 'tank');
  // asctime(3) has whole seconds.
  expect(endedAt?.getTime()).toBeGreaterThanOrEqual(beforeMs - 1000);
});

const saying = (scan: string): Runner => ({
  run: () =>
    Promise.resolve({
      stdout: `  pool: tank\n state: ONLINE\n  scan: ${scan}\nconfig:\n`,
      stderr: '',
      exitCode: 0,
    } satisfies Output),
});

it.each([
  ['scrub repaired 0B in 00:03:12 with 0 errors on Sun Nov  8 00:27:13 2026', new Date(2026, 10, 8, 0, 27, 13), false],
  [
    'scrub repaired 1.2M in 1 days 02:03:12 with 3 errors on Mon Nov 30 12:27:13 2026',
    new Date(2026, 10, 30, 12, 27, 13),
    false,
  ],
  ['scrub in progress since Sun Nov  8 00:24:01 2026', undefined, true],
  ['resilver in progress since Sun Nov  8 00:24:01 2026', undefined, true],
  ['scrub canceled on Sun Nov  8 00:24:01 2026', undefined, false],
  ['none requested', undefined, false],
  ['scrub repaired 0B in 00:03:12 with 0 errors on nonsense', undefined, false],
])('the last scrub is read from "%s"', async (scan, endedAt, isRunning) => {
  expect(await lastScrub(saying(scan), 'tank')).toEqual({ endedAt, isRunning });
});

it.each([
  [{ name: 'default', config: { 'zfs.pool_name': 'tank/incus' } }, 'tank'],
  [{ name: 'default', config: { source: 'tank' } }, 'tank'],
  [{ name: 'default', config: {} }, 'default'],
])('the zpool of %j is %s', (pool, zpool) => {
  expect(zpoolOf(pool)).toBe(zpool);
});
