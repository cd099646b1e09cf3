/** The jobs that keep the journal, the image and the pools, on a simulated host. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { AuditVerification } from '../../../../src/domain/results/audit.ts';
import { imageJob } from '../../../../src/service/jobs/imageJob.ts';
import { scrubJob } from '../../../../src/service/jobs/scrubJob.ts';
import { changesOf, hosts, type HostOptions } from '../../../support/world/hosts.ts';
import { hostStateOf, type World } from '../../../support/world/world.ts';

const host = hosts((world) => world.must('image build'));
const dayMs = 86_400_000;
const run = (world: World, job: string) => world.call('schedule run', { job });
const conditions = { mayDelete: true };
const inDays = (world: World, days: number): World['context'] => ({
  ...world.context,
  now: () => new Date(Date.now() + days * dayMs),
});

describe('the job "journal"', () => {
  it('says that every record is intact, or fails and names the first that is not', async () => {
    const world = await host();
    expect(await run(world, 'journal')).toMatchObject({ ok: true, result: { text: /^intact: \d+ records$/ } });
    const path = join(world.folder, 'journal', '000001.jsonl');
    await writeFile(path, (await readFile(path, 'utf8')).replace('carol', 'mario'));
    expect(await run(world, 'journal')).toMatchObject({
      ok: false,
      failure: {
        code: 'journal-damaged',
        what: expect.stringMatching(/^the journal, 000001\.jsonl line \d+$/) as string,
      },
    });
  });
});

describe('the job "archive"', () => {
  const old = { settings: { journal: { segmentBytes: 65_536 } } };

  /** Fills segments with records of long ago. */
  async function fill(world: World): Promise<void> {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 100 * dayMs });
    onTestFinished(() => void vi.useRealTimers());
    for (let number = 0; number < 40; number += 1) await world.journal.append({ type: 'note', text: 'x'.repeat(8000) });
    vi.useRealTimers();
    await world.journal.append({ type: 'note', text: 'today' });
  }

  it('moves what is older than ninety days, and audit verify knows', async () => {
    const world = await host(old);
    await fill(world);
    // The first segment also has the records with which this host was made, which are of today.
    expect(await run(world, 'archive')).toMatchObject({ ok: true, result: { text: 'nothing to do' } });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 91 * dayMs });
    expect(await run(world, 'archive')).toMatchObject({
      ok: true,
      result: { text: expect.stringMatching(/^\d segments archived: 000001\.jsonl, /) as string },
    });
    vi.useRealTimers();
    const found = (await world.must('audit verify')) as AuditVerification;
    expect(found).toMatchObject({ ok: true });
    expect(found.ok && found.archived).toBeGreaterThan(10);
    expect(await world.must('audit verify', { archive: true })).toMatchObject({ ok: true, archived: 0 });
    expect(await world.must('audit', { limit: '1' })).toMatchObject({ more: true });
  });

  it('moves nothing in a plan, and nothing while the clock cannot be trusted', async () => {
    const world = await host(old);
    await fill(world);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 91 * dayMs });
    onTestFinished(() => void vi.useRealTimers());
    expect(await world.plan('schedule run', { job: 'archive' })).toMatchObject({ ok: true, result: { steps: [] } });
    vi.useRealTimers();
    expect(await world.must('audit verify')).toMatchObject({ archived: 0 });
  });
});

describe('the job "anchor"', () => {
  it('is not in the schedule without a place', async () => {
    expect(await run(await host(), 'anchor')).toMatchObject({ failure: { code: 'not-found' } });
  });

  it('writes the head to a file, to syslog and to a web server, and audit verify compares the file', async () => {
    const bodies: string[] = [];
    const server = createServer((request, response) => {
      request.on('data', (chunk: Buffer) => bodies.push(chunk.toString()));
      request.on('end', () => response.writeHead(204).end());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const world = await host();
    const file = join(world.folder, 'anchors');
    const anchor = { file, syslog: true, url: `http://127.0.0.1:${port}/` };
    const again = await host({ settings: { journal: { anchor } } });
    expect(await run(again, 'anchor')).toMatchObject({ result: { text: /^record \d+ anchored: file, url, syslog$/ } });
    const { seq, hash } = JSON.parse(await readFile(file, 'utf8')) as { seq: number; hash: string };
    expect(JSON.parse(bodies[0] ?? '')).toMatchObject({ type: 'journal-head', seq, hash });
    expect(hostStateOf(again.folder).syslog).toEqual([expect.stringContaining(`journal head ${seq} ${hash} `)]);
    expect(await again.must('audit verify')).toMatchObject({ ok: true, anchors: 1 });
    await writeFile(
      file,
      JSON.stringify({ seq, hash: hash.replace(/^./, (digit) => (digit === '0' ? '1' : '0')), time: 'T' }),
    );
    expect(await again.must('audit verify')).toMatchObject({
      ok: false,
      firstBad: { segment: 'anchors', line: 1, seq },
    });
    expect(await run(again, 'journal')).toMatchObject({ failure: { code: 'journal-damaged' } });
    await rm(file);
    await mkdir(file);
    expect(await run(again, 'journal')).toMatchObject({ failure: { code: 'store-unavailable' } });
    expect((await again.must('doctor')).checks).toContainEqual(
      expect.objectContaining({ name: 'journal', severity: 'warning' }),
    );
  });

  it.each<[string, HostOptions['faults']]>([
    [
      'fails',
      [{ match: { program: 'logger' }, mode: 'fail-before', message: 'logger: socket /dev/log: no such file' }],
    ],
    ['hangs', [{ match: { program: 'logger' }, mode: 'hang' }]],
  ])('writes the file all the same if logger %s, and the next run is well again', async (_what, faults) => {
    const { folder } = await host();
    const file = join(folder, 'anchors');
    const world = await host({ settings: { journal: { anchor: { file, syslog: true } } }, ...(faults && { faults }) });
    const failed = await run(world, 'anchor');
    expect(failed).toMatchObject({ ok: false, failure: { what: 'the anchor of the journal by syslog' } });
    expect(world.context.keeping.anchorTrouble).toMatch(/^the anchor of the journal by syslog: /);
    expect((await readFile(file, 'utf8')).split('\n')).toHaveLength(2);
    expect(await run(world, 'anchor')).toMatchObject({ ok: true });
    expect(world.context.keeping.anchorTrouble).toBeUndefined();
  });

  it('has an anchor as soon as a segment is complete', async () => {
    const { folder } = await host();
    const file = join(folder, 'anchors');
    const world = await host({ settings: { journal: { segmentBytes: 65_536, anchor: { file } } } });
    while ((await readFile(file, 'utf8').catch(() => '')) === '')
      await world.journal.append({ type: 'note', text: 'x'.repeat(60_000) });
    expect(await world.must('audit verify')).toMatchObject({ ok: true, anchors: expect.any(Number) as number });
  });
});

describe('the job "image"', () => {
  it('builds the prepared image again when it is old, and not before', async () => {
    const world = await host();
    expect(await imageJob.run(inDays(world, 29), conditions)).toBeUndefined();
    expect(changesOf(world)).toEqual([]);
    expect(await imageJob.run(inDays(world, 31), conditions)).toMatch(/^containarium-\S+ built again$/);
    expect(hostStateOf(world.folder).images.filter(({ aliases }) => aliases.length > 0)).toHaveLength(1);
    expect(await world.faults()).toEqual([]);
  });

  it('fails without harm if the build fails: the old image stays', async () => {
    const world = await host({
      faults: [{ match: { program: 'incus', argIncludes: 'publish' }, mode: 'fail-before' }],
    });
    await expect(imageJob.run(inDays(world, 31), conditions)).rejects.toMatchObject({ code: 'program-failed' });
    expect((await world.must('image list')).images).toHaveLength(1);
    expect(await world.faults()).toEqual([]);
  });

  it('is not in the schedule if it is turned off', async () => {
    const world = await host({ settings: { image: { rebuildDays: 0 }, incus: { scrub: 'never' } } });
    for (const job of ['image', 'scrub'])
      expect(await run(world, job)).toMatchObject({ failure: { code: 'not-found' } });
  });
});

describe('the job "scrub"', () => {
  const onZfs: HostOptions = {
    edit: ({ pools }) => {
      for (const pool of pools) Object.assign(pool, { driver: 'zfs', config: { 'zfs.pool_name': 'tank/incus' } });
    },
  };

  it('begins a scrub in a unit of its own, and leaves a pool alone that was scrubbed within four weeks', async () => {
    const world = await host(onZfs);
    expect(await scrubJob.run(world.context, conditions)).toBe('scrub of tank begun');
    expect(changesOf(world)).toEqual([
      expect.stringMatching(
        /^systemd-run .*CAP_SYS_ADMIN .*--unit=containarium-zfs-schedule-scrub -- zpool scrub tank$/,
      ),
    ]);
    expect(await scrubJob.run(inDays(world, 27), conditions)).toBeUndefined();
    expect(await scrubJob.run(inDays(world, 29), conditions)).toBe('scrub of tank begun');
  });

  it('has nothing to do where the pool is not ZFS', async () => {
    const world = await host();
    expect(await scrubJob.run(world.context, conditions)).toBeUndefined();
    expect(changesOf(world)).toEqual([]);
  });

  it.each(['fail-before', 'fail-after', 'hang'] as const)('fails if the unit ends with the fault %s', async (mode) => {
    const world = await host({ ...onZfs, faults: [{ match: { program: 'systemd-run' }, mode }] });
    expect(await run(world, 'scrub')).toMatchObject({ ok: false });
    expect(await run(world, 'scrub')).toMatchObject({ ok: true });
  });

  it('begins none if zpool does not say when the last one was', async () => {
    const world = await host({
      ...onZfs,
      faults: [{ match: { program: 'zpool' }, mode: 'fail-before', repeat: true }],
    });
    await expect(scrubJob.run(world.context, conditions)).rejects.toMatchObject({ code: 'program-failed' });
    expect(changesOf(world)).toEqual([]);
  });

  it('is planned as the command that it runs', async () => {
    const world = await host(onZfs);
    expect(await world.plan('schedule run', { job: 'scrub' })).toMatchObject({ ok: true });
    expect(changesOf(world)).toEqual([]);
  });
});
