/** Backups in their stores: whole or none, as they were made, and damaged if anything of them was changed. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, readlink, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgeIdentity } from '../../../src/domain/values/age.ts';
import { Failure } from '../../../src/domain/failure.ts';
import type { FileEntry } from '../../../src/repository/fileList.ts';
import type { Manifest } from '../../../src/repository/manifest.ts';
import { Repository, type About } from '../../../src/repository/repository.ts';
import { DirectoryStore } from '../../../src/repository/stores/directory.ts';
import { S3Store } from '../../../src/repository/stores/s3.ts';
import type { Store } from '../../../src/repository/stores/store.ts';
import { eventually } from '../../support/eventually.ts';
import { filesBelow } from '../../support/files.ts';
import { compressedExport, exported, type Files } from '../../support/exports.ts';
import { s3Keys, startS3, type S3Server } from '../../support/s3.ts';

const files: Files = {
  '/etc/hosts': '127.0.0.1\n',
  '/home/alice/secret': 'the words of alice',
  '/srv/large': randomBytes(400_000),
};
const about: About = {
  id: '20261129-120000-abcd',
  user: 'alice',
  container: 'alice-container',
  createdAt: '2026-11-29T12:00:00.000Z',
  createdBy: 'carol',
  incusVersion: '6.0.4',
  config: { 'limits.cpu': '2' },
  devices: { root: { type: 'disk', path: '/' } },
};
const now = { now: () => new Date() };
const archive = async (): Promise<Buffer> => Buffer.concat((await exported(files).toArray()) as Buffer[]);
const compressed = async (): Promise<Buffer> => bytesOf(compressedExport(files));
const bytesOf = async (source: Readable): Promise<Buffer> => Buffer.concat((await source.toArray()) as Buffer[]);
const failureOf = async (work: Promise<unknown>): Promise<Failure> => {
  const error = await work.then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  );
  if (error instanceof Failure) return error;
  throw error;
};

let folder: string;
let directory: DirectoryStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'containarium-repository-'));
  directory = new DirectoryStore(folder);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const listOf = async (repository: Repository, manifest: Manifest, identity?: AgeIdentity): Promise<string[]> => {
  const found: FileEntry[] = [];
  for await (const entry of repository.files(manifest, identity)) found.push(entry);
  return found.map(({ path }) => path).sort();
};

describe('a backup', () => {
  it('returns the export and the list of its files as they were', async () => {
    const repository = new Repository([directory], []);
    const manifest = await repository.write(about, compressedExport(files), now);
    expect(manifest).toMatchObject({ encryption: 'none', files: { count: 3, omitted: 0 } });
    expect(await repository.manifest(about)).toEqual(manifest);
    expect((await bytesOf(await repository.data(manifest, undefined))).equals(await archive())).toBe(true);
    expect(await listOf(repository, manifest)).toEqual(Object.keys(files).sort());
    expect((await bytesOf(await repository.stored(manifest))).length).toBe(manifest.data.storedBytes);
    expect(await repository.list()).toMatchObject([{ manifest, stores: ['directory'], verification: undefined }]);
  });

  it('shows what the last verification found', async () => {
    const repository = new Repository([directory], []);
    await repository.write(about, compressedExport(files), now);
    const verification = { verifiedAt: '2026-11-30T00:00:00.000Z', compared: 3, changedByBoot: 0 };
    await repository.recordVerification(about, verification);
    expect(await repository.list('alice-container')).toMatchObject([{ verification }]);
  });

  it('is gone when it is forgotten, and so are its parts when it is cleared', async () => {
    const repository = new Repository([directory], []);
    await repository.write(about, compressedExport(files), now);
    expect(await repository.has(about)).toBe(true);
    await repository.forget(about);
    expect(await repository.has(about)).toBe(false);
    expect(await repository.list()).toEqual([]);
    expect((await failureOf(repository.manifest(about))).code).toBe('not-found');
    await repository.clear(about);
    expect(await readdir(folder)).toEqual([]);
  });

  it.each(['data', 'files'] as const)('is damaged if a byte of its %s was changed', async (part) => {
    const repository = new Repository([directory], []);
    const manifest = await repository.write(about, compressedExport(files), now);
    const path = join(folder, 'alice-container', about.id, part);
    const bytes = await readFile(path);
    bytes[bytes.length - 2] = (bytes.at(-2) ?? 0) ^ 1;
    await writeFile(path, bytes);
    const read = part === 'data' ? bytesOf(await repository.data(manifest, undefined)) : listOf(repository, manifest);
    expect(await failureOf(read)).toMatchObject({ code: 'backup-damaged' });
  });

  it.each([
    ['is cut', (bytes: Buffer) => bytes.subarray(0, 1000)],
    ['is longer', (bytes: Buffer) => Buffer.concat([bytes, bytes])],
    ['is empty', () => Buffer.alloc(0)],
    ['is something else', (bytes: Buffer) => Buffer.alloc(bytes.length, 'junk')],
  ])('is damaged if its data %s', async (_, damage) => {
    const repository = new Repository([directory], []);
    const manifest = await repository.write(about, compressedExport(files), now);
    const path = join(folder, 'alice-container', about.id, 'data');
    await writeFile(path, damage(await readFile(path)));
    expect(await failureOf(repository.data(manifest, undefined).then(bytesOf))).toMatchObject({
      code: 'backup-damaged',
    });
    expect(await failureOf(repository.stored(manifest).then(bytesOf))).toMatchObject({ code: 'backup-damaged' });
  });

  it('unpacks to no more than its manifest says', async () => {
    const repository = new Repository([directory], []);
    const manifest = await repository.write(about, compressedExport({ '/srv/zeros': Buffer.alloc(50_000_000) }), now);
    expect(manifest.data.storedBytes).toBeLessThan(100_000);
    const lying = { ...manifest, data: { ...manifest.data, plainBytes: 1000 } };
    let passed = 0;
    const read = (async () => {
      for await (const chunk of await repository.data(lying, undefined)) passed += (chunk as Buffer).length;
    })();
    expect(await failureOf(read)).toMatchObject({ code: 'backup-damaged' });
    expect(passed).toBeLessThanOrEqual(1000);
  });

  it.each(['as it is stored', 'as it was exported'])('leaves no file open if its reader leaves: %s', async (how) => {
    const repository = new Repository([directory], []);
    const manifest = await repository.write(about, compressedExport({ '/large': randomBytes(4_000_000) }), now);
    const openFiles = async (): Promise<string[]> => {
      const descriptors = await readdir('/proc/self/fd');
      const paths = await Promise.all(descriptors.map((each) => readlink(`/proc/self/fd/${each}`).catch(() => '')));
      return paths.filter((path) => path.startsWith(folder));
    };
    const isStored = how === 'as it is stored';
    const source = isStored ? await repository.stored(manifest) : await repository.data(manifest, undefined);
    for await (const chunk of source as AsyncIterable<Buffer>) {
      expect(chunk.length).toBeGreaterThan(0);
      expect(await openFiles()).toHaveLength(1);
      break;
    }
    await eventually(async () => ((await openFiles()).length === 0 ? true : undefined), 'the file is closed');
  });

  it.each([
    ['is not JSON', 'no JSON'],
    ['is too long', `{"version": 1, "more": "${'x'.repeat(2_000_000)}"}`],
    ['is that of another backup', undefined],
  ])('is listed as damaged if its manifest %s, and the others are listed', async (_, text) => {
    const repository = new Repository([directory], []);
    const manifest = await repository.write(about, compressedExport(files), now);
    await repository.write({ ...about, id: '20261130-120000-abcd' }, compressedExport(files), now);
    const other = JSON.stringify({ ...manifest, container: 'bob-container', user: 'bob' });
    await writeFile(join(folder, 'alice-container', about.id, 'manifest.json'), text ?? other);
    const found = await repository.list();
    expect(found.map(({ id, manifest: read }) => [id, read === undefined])).toEqual([
      ['20261130-120000-abcd', false],
      [about.id, true],
    ]);
    expect(found[1]?.trouble).toMatch(/manifest/);
  });

  it('leaves nothing that counts as a backup if its export is cut', async () => {
    const repository = new Repository([directory], []);
    const whole = await compressed();
    const cut = Readable.from(
      (function* () {
        yield whole.subarray(0, 100_000);
        throw new Failure('incus-unavailable', { what: 'Incus', why: 'it stopped' });
      })(),
      { objectMode: false },
    );
    expect(await failureOf(repository.write(about, cut, now))).toMatchObject({ code: 'incus-unavailable' });
    expect(await repository.list()).toEqual([]);
    const short = Readable.from([whole.subarray(0, 100_000)], { objectMode: false });
    await expect(repository.write(about, short, now)).rejects.toThrow();
    const unpacked = Readable.from([await archive()], { objectMode: false });
    await expect(repository.write(about, unpacked, now)).rejects.toThrow();
    expect(await repository.list()).toEqual([]);
    await repository.clear(about);
    expect(await readdir(folder)).toEqual([]);
  });

  it('leaves nothing that counts as a backup if it is cancelled', async () => {
    const repository = new Repository([directory], []);
    const abort = new AbortController();
    const whole = await compressed();
    const slow = Readable.from(
      (async function* () {
        for (let at = 0; at < whole.length; at += 10_000) {
          yield whole.subarray(at, at + 10_000);
          if (at === 50_000) abort.abort();
          // Lets the reader take it.
          await new Promise((resolve) => setImmediate(resolve));
        }
      })(),
      { objectMode: false },
    );
    const written = repository.write(about, slow, { ...now, signal: abort.signal });
    expect(await failureOf(written)).toMatchObject({ code: 'cancelled' });
    expect(await repository.list()).toEqual([]);
  });

  it.each(['data', 'files', 'manifest.json'])('is none if its %s cannot be stored', async (part) => {
    const full: Store = {
      ...bound(directory),
      put: (key, source, signal) => {
        if (!key.endsWith(`/${part}`)) return directory.put(key, source, signal);
        const error = new Failure('no-space', { what: key, why: 'full' });
        source.on('error', () => undefined);
        source.destroy(error);
        return Promise.reject(error);
      },
    };
    const repository = new Repository([full], []);
    expect(await failureOf(repository.write(about, compressedExport(files), now))).toMatchObject({ code: 'no-space' });
    expect(await repository.list()).toEqual([]);
  });

  it('is swept a day after it was left without a manifest, and no other is', async () => {
    const repository = new Repository([directory], []);
    for (const id of ['20260101-000000-aaaa', '20260101-000000-bbbb', about.id])
      await repository.write({ ...about, id }, compressedExport(files), now);
    for (const id of ['20260101-000000-aaaa', about.id]) await repository.forget({ ...about, id });
    for (const id of ['20260101-000000-aaaa', '20260101-000000-bbbb'])
      for (const name of await readdir(join(folder, 'alice-container', id)))
        await utimes(join(folder, 'alice-container', id, name), new Date('2026-01-01'), new Date('2026-01-01'));
    await repository.sweep(new Date());
    expect((await readdir(join(folder, 'alice-container'))).sort()).toEqual(['20260101-000000-bbbb', about.id]);
  });
});

/** The methods of a store as an object, so that a test can replace one. */
const bound = (store: Store): Store => ({
  name: store.name,
  place: store.place,
  put: store.put.bind(store),
  get: store.get.bind(store),
  list: store.list.bind(store),
  delete: store.delete.bind(store),
  clear: store.clear.bind(store),
  sweep: store.sweep.bind(store),
  requireWritable: store.requireWritable.bind(store),
  freeBytes: store.freeBytes.bind(store),
});

describe('an encrypted backup', () => {
  const newIdentity = async () => {
    const key = await generateX25519Identity();
    return { recipient: await identityToRecipient(key), identity: AgeIdentity.parse(`# a comment\n${key}\n`) };
  };

  it('is read with the identity of any recipient, and nothing of it without', async () => {
    const [one, two, other] = [await newIdentity(), await newIdentity(), await newIdentity()];
    const repository = new Repository([directory], [one.recipient, two.recipient]);
    const manifest = await repository.write(about, compressedExport(files), now);
    expect(manifest.encryption).toBe('age');
    for (const { identity } of [one, two]) {
      expect((await bytesOf(await repository.data(manifest, identity))).equals(await archive())).toBe(true);
      expect(await listOf(repository, manifest, identity)).toEqual(Object.keys(files).sort());
    }
    expect(await failureOf(repository.data(manifest, undefined))).toMatchObject({ code: 'usage' });
    const denied = await failureOf(repository.data(manifest, other.identity).then(bytesOf));
    expect(denied).toMatchObject({ code: 'denied', why: 'the backup is encrypted to other keys' });
    for (const { content } of await filesBelow(folder)) {
      expect(content.includes('the words of alice')).toBe(false);
      expect(content.includes('/home/alice/secret')).toBe(false);
    }
  });

  it('is in the format of age', async () => {
    const { recipient } = await newIdentity();
    await new Repository([directory], [recipient]).write(about, compressedExport(files), now);
    const stored = await readFile(join(folder, 'alice-container', about.id, 'data'));
    expect(stored.subarray(0, 21).toString()).toBe('age-encryption.org/v1');
  });

  it.each([
    ['a byte was changed', (bytes: Buffer) => ((bytes[bytes.length - 100] = (bytes.at(-100) ?? 0) ^ 1), bytes)],
    ['it was cut', (bytes: Buffer) => bytes.subarray(0, -70_000)],
    ['its header is junk', (bytes: Buffer) => Buffer.concat([Buffer.alloc(200, 'x'), bytes.subarray(200)])],
  ])('is damaged if %s', async (_, damage) => {
    const { recipient, identity } = await newIdentity();
    const repository = new Repository([directory], [recipient]);
    const manifest = await repository.write(about, compressedExport(files), now);
    const path = join(folder, 'alice-container', about.id, 'data');
    await writeFile(path, damage(await readFile(path)));
    const read = repository.data(manifest, identity).then(bytesOf);
    expect(await failureOf(read)).toMatchObject({ code: 'backup-damaged' });
  });

  it('is not made for a recipient that is none', async () => {
    const { recipient } = await newIdentity();
    const wrong = `${recipient.slice(0, -1)}${recipient.endsWith('q') ? 'p' : 'q'}`;
    const repository = new Repository([directory], [wrong]);
    expect(await failureOf(repository.write(about, compressedExport(files), now))).toMatchObject({ code: 'settings' });
  });

  it('does not show its identity', async () => {
    const { identity } = await newIdentity();
    expect(JSON.stringify({ identity })).toBe('{"identity":{}}');
    const text = 'AGE-SECRET-KEY-1 no key';
    expect(() => AgeIdentity.parse(text)).toThrow(expect.objectContaining({ code: 'usage' }));
    expect(() => AgeIdentity.parse(text)).not.toThrow(/AGE-SECRET-KEY-1/);
  });
});

describe('backups in a folder and a bucket', () => {
  let server: S3Server;
  let s3: S3Store;
  beforeEach(async () => {
    server = await startS3();
    s3 = new S3Store({
      ...s3Keys,
      endpoint: server.endpoint,
      bucket: server.bucket,
      region: 'us-east-1',
      prefix: 'host-one',
      partBytes: () => 64 * 1024,
      limits: { requestMs: 2000, uploadMs: 2000, idleMs: 1000, retries: 0, firstPauseMs: 5 },
    });
  });
  afterEach(() => server.close());

  it('are whole in both, and read from either', async () => {
    const both = new Repository([directory, s3], []);
    const manifest = await both.write(about, compressedExport(files), now);
    expect(await both.list()).toMatchObject([{ stores: ['directory', 's3'] }]);
    await rm(join(folder, 'alice-container'), { recursive: true });
    expect((await bytesOf(await both.data(manifest, undefined))).equals(await archive())).toBe(true);
    expect(await both.list()).toMatchObject([{ stores: ['s3'], manifest: { id: about.id } }]);
  });

  it('are none if one of them fails', async () => {
    server.instead = (line, response) => {
      if (!line.includes('/manifest.json')) return false;
      response.writeHead(403).end();
      return true;
    };
    const both = new Repository([directory, s3], []);
    await failureOf(both.write(about, compressedExport(files), now));
    expect(await both.list()).toEqual([]);
  });

  it('are not listed if one of them does not answer, but are read from the other', async () => {
    const both = new Repository([directory, s3], []);
    await both.write(about, compressedExport(files), now);
    server.instead = (_, response) => (response.destroy(), true);
    expect(await failureOf(both.list())).toMatchObject({ code: 'store-unavailable' });
    expect(await both.manifest(about)).toMatchObject({ id: about.id });
    await rm(join(folder, 'alice-container'), { recursive: true });
    expect(await failureOf(both.manifest(about))).toMatchObject({ code: 'store-unavailable' });
    expect(await failureOf(both.has(about))).toMatchObject({ code: 'store-unavailable' });
  });
});

it('a folder without room takes no backup, and says so', { timeout: 30_000 }, async () => {
  // RLIMIT_FSIZE causes EFBIG, as a full disk causes ENOSPC.
  const program = [process.execPath, join(import.meta.dirname, 'untilFull.ts'), folder];
  const child = spawn('bash', ['-c', 'ulimit -S -f 100; exec "$@"', 'bash', ...program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output] = await Promise.all([child.stdout.toArray(), once(child, 'exit')]);
  expect(JSON.parse(Buffer.concat(output as Buffer[]).toString())).toEqual({ code: 'no-space', listed: 0 });
  expect(await filesBelow(folder)).toEqual([]);
});
