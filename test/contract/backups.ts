/** Checks of Incus's own backups. They run against the simulated host and against a real Incus, and both must pass. */
import { PassThrough, Readable } from 'node:stream';
import { zstdDecompressSync } from 'node:zlib';
import { expect } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { readList, type FileEntry } from '../../src/repository/fileList.ts';
import { listFiles, textOf, type FileCount } from '../../src/repository/tarFiles.ts';
import { eventually } from '../support/eventually.ts';
import { failureOf, follow, type StreamWorld } from './streams.ts';

const instance = 'cxt-backup';
const copy = 'cxt-backup-copy';
const minuteMs = 60_000;

const bytesOf = async (source: Readable): Promise<Buffer> => Buffer.concat((await source.toArray()) as Buffer[]);
const streamOf = (bytes: Buffer): Readable => Readable.from([bytes], { objectMode: false });

/** Returns the paths of the files in an archive. */
async function filesIn(archive: Buffer): Promise<string[]> {
  const list = new PassThrough();
  const count: FileCount = { listed: 0, omitted: 0 };
  const text = textOf(list, 64 * 1024 * 1024);
  await listFiles(streamOf(archive), list, count);
  const found: FileEntry[] = [];
  for await (const entry of readList(streamOf(Buffer.from(await text)))) found.push(entry);
  expect(found).toHaveLength(count.listed);
  return found.map(({ path }) => path);
}

/** Runs all checks, and removes the test instances. */
export async function checkBackups({ incus, streams, image, spec }: StreamWorld): Promise<void> {
  const root = Object.values(spec.devices).find(({ path }) => path === '/');
  const pool = root?.['pool'] ?? '';
  const expiresAt = new Date(Date.now() + 60 * minuteMs);
  const make = (name: string): Promise<void> => incus.backups.create(instance, name, expiresAt, minuteMs);
  const create = (name: string, source: Readable): Promise<void> =>
    streams.createFromBackup({ name, pool, source, timeoutMs: minuteMs });
  const names = async (): Promise<string[]> => (await incus.instances()).map(({ name }) => name);

  await incus.create(instance, image, { ...spec, config: { ...spec.config, 'user.mine': 'yes' } });
  await incus.pushFile({ instance, path: '/root/notes', content: 'notes', mode: '0644' });
  expect(await incus.backups.list(instance)).toEqual([]);
  await make('first');
  expect(await incus.backups.list(instance)).toEqual(['first']);
  expect(await failureOf(make('first'))).toMatchObject({
    code: 'program-failed',
    why: `Create backup: Backup "${instance}/first" already exists`,
  });
  expect(await failureOf(incus.backups.create('cxt-nosuch', 'first', expiresAt, minuteMs))).toMatchObject({
    code: 'program-failed',
    why: expect.stringContaining('Instance not found'),
  });

  const archive = zstdDecompressSync(await bytesOf(await streams.readBackup(instance, 'first')));
  expect(await filesIn(archive)).toContain('/root/notes');
  for (const [name, backup] of [
    [instance, 'other'],
    ['cxt-nosuch', 'first'],
  ] as const)
    expect(await failureOf(streams.readBackup(name, backup))).toMatchObject({ code: 'not-found' });

  const events = await follow(streams);
  await create(copy, streamOf(archive));
  expect(await incus.instance(copy)).toMatchObject({ status: 'Stopped', config: { 'user.mine': 'yes' } });
  expect(await incus.pullFile(copy, '/root/notes')).toBe('notes');
  await eventually(() => (events.received.includes(`instance-created ${copy}`) ? true : undefined), 'an event');
  await events.stop();
  expect(await failureOf(create(copy, streamOf(archive)))).toMatchObject({
    code: 'program-failed',
    why: expect.stringContaining('already exists'),
  });
  await incus.delete(copy);

  // What cannot be read, or ends too early, makes no instance.
  for (const bytes of [archive.subarray(0, Math.floor(archive.length / 2)), Buffer.from('no archive'), Buffer.alloc(0)])
    expect(await failureOf(create(copy, streamOf(bytes)))).toMatchObject({ code: 'program-failed' });
  const cut = new Failure('backup-damaged', { what: 'the backup', why: 'it is cut' });
  const source = Readable.from(
    (function* () {
      yield archive.subarray(0, 100_000);
      throw cut;
    })(),
    { objectMode: false },
  );
  expect(await failureOf(create(copy, source))).toBe(cut);
  const late = Readable.from(
    (function* () {
      yield archive;
      throw cut;
    })(),
    { objectMode: false },
  );
  expect(await failureOf(create(copy, late))).toBe(cut);
  expect(await names()).not.toContain(copy);

  await incus.backups.delete(instance, 'first');
  await incus.backups.delete(instance, 'first');
  expect(await incus.backups.list(instance)).toEqual([]);
  await incus.delete(instance);
}
