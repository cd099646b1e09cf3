/** The report, on a simulated host with the containers of alice and bob. */
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../../src/domain/failure.ts';
import { reportLines, reportSections } from '../../../../src/domain/results/reportLines.ts';
import type { Report } from '../../../../src/domain/results/report.ts';
import { createContainer } from '../../../../src/service/create.ts';
import { deleteContainer } from '../../../../src/service/delete.ts';
import { jobCall } from '../../../../src/service/jobs/job.ts';
import { makeReport } from '../../../../src/service/report/report.ts';
import { alice, bob, callBy, hosts } from '../../../support/world/hosts.ts';
import { newKey } from '../../../support/world/keys.ts';
import { hostStateOf, type World } from '../../../support/world/world.ts';

const host = hosts(async (world) => {
  await world.must('image build');
  for (const user of [alice, bob])
    await createContainer(world.context, { user, keys: [newKey(`${user}@desk`)] }, callBy());
});

const reportOf = async (world: World, input = {}): Promise<Report> => (await world.must('report', input)) as Report;
const textOf = async (world: World): Promise<string> => reportLines(await reportOf(world)).join('\n');

describe('the report', () => {
  it('says what was created, deleted, over and backed up, and by whom', async () => {
    const world = await host();
    await world.must('backup create', { user: alice });
    await deleteContainer(world.context, { user: alice }, callBy());
    await deleteContainer(world.context, { user: bob }, jobCall({ user: bob }));
    expect(await reportOf(world)).toMatchObject({
      containers: { value: { total: 0, running: 0, trash: 2 }, trouble: null },
      changes: { value: { created: ['alice', 'bob'], deleted: ['alice'], expired: ['bob'], purged: [] } },
      backups: { value: { made: 1, failed: [], overdue: [] } },
    });
    expect(await textOf(world)).toContain('Deleted because their time was over: bob');
  });

  it('counts failed logins, penalties and bans', async () => {
    const world = await host();
    const { journal } = world;
    const reasons = { key: 5, late: 7 };
    await journal.append({ type: 'refusals', since: '', count: 12, reasons, sources: 3, top: [] });
    await journal.append({ type: 'refusals', since: '', count: 1, reasons: { signature: 1 }, sources: 1, top: [] });
    await journal.append({ type: 'penalty', target: '203.0.113.9', kind: 'failedLogin', times: 1, until: '' });
    await journal.append({ type: 'penalties', kind: '4 more', more: 4 });
    await world.must('ban add', { network: '203.0.113.7' });
    await world.call('ban add', { network: 'nowhere' });
    expect((await reportOf(world)).logins.value).toEqual({ logins: 0, failed: 6, sources: 3, penalties: 5, bans: 1 });
  });

  it('names only what happened since its time', async () => {
    const world = await host();
    const inAWeek = new Date(Date.now() + 7 * 86_400_000);
    const later = { ...world.context, now: () => inAWeek };
    expect((await reportOf(world, { since: '1h' })).changes.value?.created).toEqual(['alice', 'bob']);
    const since = new Date(inAWeek.getTime() - 86_400_000);
    const found = await makeReport(later, since, new AbortController().signal);
    expect(found.changes.value?.created).toEqual([]);
    expect(await world.call('report', { since: 'soon' })).toMatchObject({ failure: { code: 'invalid-time' } });
  });

  it('has a pool, the fullest containers, and the journal', async () => {
    const found = await reportOf(await host());
    expect(found.pools.value).toMatchObject([{ name: 'default' }]);
    expect(found.disks.value?.map(({ name }) => name)).toEqual(['alice', 'bob']);
    expect(found.journal.value).toMatchObject({ verifiedAt: null, anchorTrouble: null });
    expect(found.journal.value?.records).toBeGreaterThan(10);
  });

  it('says of a part that it is not known, and has the others', async () => {
    const world = await host();
    world.context.incus.poolSpace = () =>
      Promise.reject(new Failure('incus-unavailable', { what: 'Incus', why: 'it does not answer' }));
    const found = await reportOf(world);
    expect(found.pools).toEqual({ value: null, trouble: 'Incus: it does not answer' });
    expect(found.containers.trouble).toBeNull();
    expect(reportSections(found).find(({ title }) => title === 'Storage')?.lines).toEqual([
      'Not known: Incus: it does not answer',
    ]);
  });

  it('names keys of admins that expire within thirty days', async () => {
    const world = await host();
    const on = (days: number): string =>
      new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '');
    await world.must('admin add', { name: 'dora', keys: `expiry-time="${on(20)}" ${newKey('dora@desk').line}` });
    await world.must('admin add', { name: 'eve', keys: `expiry-time="${on(40)}" ${newKey('eve@desk').line}` });
    expect((await reportOf(world)).expiries.value?.map(({ what }) => what)).toEqual([
      expect.stringMatching(/^key of admin dora, SHA256:/),
    ]);
  });
});

describe('the job of the report', () => {
  it('sends it by mail, with the same text as the verb has', async () => {
    const world = await host({ settings: { alerts: { mail: ['admin@example.org'] } } });
    expect(await world.must('schedule run', { job: 'report' })).toMatchObject({ text: 'sent to mail' });
    await world.context.alerts.delivery.settled();
    const [mail = ''] = hostStateOf(world.folder).mails;
    expect(mail).toMatch(/^Subject: .*: report\r$/m);
    const decoded = mail.replaceAll(/=\r?\n/g, '').replaceAll('\r', '');
    expect(decoded).toContain('Containers\n  2 containers: 2 running, 0 stopped; 0 in the trash');
    expect(decoded).toContain('New: alice, bob');
  });

  it('is in the schedule only where it can be sent', async () => {
    const jobs = async (world: World): Promise<string[]> =>
      (await world.must('schedule list')).jobs.map(({ name }: { name: string }) => name) as string[];
    expect(await jobs(await host())).not.toContain('report');
    expect(await jobs(await host({ settings: { alerts: { mail: ['a@example.org'] } } }))).toContain('report');
    const never = { alerts: { mail: ['a@example.org'] }, report: { every: 'never' } };
    expect(await jobs(await host({ settings: never }))).not.toContain('report');
  });
});
