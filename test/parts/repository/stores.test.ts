/** Both kinds of store: a folder, and a bucket of a real S3 server. */
import { chmod, mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DirectoryStore } from '../../../src/repository/stores/directory.ts';
import { S3Store } from '../../../src/repository/stores/s3.ts';
import type { Store } from '../../../src/repository/stores/store.ts';
import { s3Keys, startS3, type S3Server } from '../../support/s3.ts';

const partBytes = 64 * 1024;
const limits = { requestMs: 2000, uploadMs: 2000, idleMs: 300, retries: 2, firstPauseMs: 5 };

function s3Store(server: S3Server, more: Partial<ConstructorParameters<typeof S3Store>[0]> = {}): S3Store {
  const { endpoint, bucket } = server;
  return new S3Store({
    ...s3Keys,
    endpoint,
    bucket,
    region: 'us-east-1',
    prefix: 'host-one',
    limits,
    partBytes: () => partBytes,
    ...more,
  });
}

const bytesOf = async (source: Readable): Promise<Buffer> => Buffer.concat((await source.toArray()) as Buffer[]);
const stream = (bytes: Buffer): Readable => Readable.from([bytes], { objectMode: false });
const random = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, at) => (at * 7919) % 251));
const key = 'alice-container/20261129-120000-abcd/data';

/** A stream that fails after some bytes. */
const cut = (bytes: number): Readable =>
  Readable.from(
    (async function* () {
      yield random(bytes);
      await new Promise((resolve) => setTimeout(resolve, 20));
      throw new Error('the export was cut');
    })(),
    { objectMode: false },
  );

interface Opened {
  readonly store: Store;
  close(): Promise<void>;
}

const stores: Readonly<Record<string, () => Promise<Opened>>> = {
  async 'a folder'() {
    const folder = await mkdtemp(join(tmpdir(), 'containarium-store-'));
    return { store: new DirectoryStore(folder), close: () => rm(folder, { recursive: true }) };
  },
  async 'a bucket'() {
    const server = await startS3();
    return { store: s3Store(server), close: () => server.close() };
  },
};

describe.each(Object.entries(stores))('%s', (_, open) => {
  let opened: Opened;
  let store: Store;
  beforeEach(async () => {
    opened = await open();
    store = opened.store;
  });
  afterEach(() => opened.close());

  it.each([0, 1, partBytes - 1, partBytes, partBytes + 1, 5 * partBytes, 5 * partBytes + 17])(
    'returns %i bytes as they were stored',
    async (length) => {
      const bytes = random(length);
      await store.put(key, stream(bytes));
      expect((await bytesOf(await store.get(key))).equals(bytes)).toBe(true);
      expect(await store.list('')).toMatchObject([{ key, bytes: length }]);
    },
  );

  it('lists what is under a prefix', async () => {
    for (const each of [key, 'alice-container/20261129-120000-abcd/files', 'bob-container/20261129-120000-abcd/data'])
      await store.put(each, stream(random(3)));
    expect((await store.list('alice-container/')).map((each) => each.key).sort()).toEqual([
      key,
      'alice-container/20261129-120000-abcd/files',
    ]);
    expect(await store.list('carol-container/')).toEqual([]);
  });

  it('says that a key does not exist', async () => {
    await expect(store.get(key)).rejects.toMatchObject({ code: 'not-found' });
    await store.delete(key);
  });

  it('replaces a key, and deletes it', async () => {
    await store.put(key, stream(random(10)));
    await store.put(key, stream(Buffer.from('new')));
    expect(String(await bytesOf(await store.get(key)))).toBe('new');
    await store.delete(key);
    expect(await store.list('')).toEqual([]);
  });

  it.each([100, 3 * partBytes])('stores nothing of a stream that is cut after %i bytes', async (length) => {
    await expect(store.put(key, cut(length))).rejects.toThrow('the export was cut');
    expect(await store.list('')).toEqual([]);
    await expect(store.get(key)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('stores nothing when it is cancelled', async () => {
    const abort = new AbortController();
    const endless = Readable.from(
      (async function* () {
        for (let n = 0; ; n += 1) {
          yield random(partBytes);
          if (n === 3) abort.abort();
          // Lets the reader take it.
          await new Promise((resolve) => setImmediate(resolve));
        }
      })(),
      { objectMode: false },
    );
    await expect(store.put(key, endless, abort.signal)).rejects.toMatchObject({ code: 'cancelled' });
    expect(endless.destroyed).toBe(true);
    expect(await store.list('')).toEqual([]);
  });

  it('clears a prefix and nothing beside it', async () => {
    for (const each of [key, 'alice-container/20261129-120000-abcd/files', 'alice-container/20261129-120000-abce/data'])
      await store.put(each, stream(random(3)));
    await store.clear('alice-container/20261129-120000-abcd/');
    await store.clear('alice-container/20261129-120000-abcd/');
    expect((await store.list('')).map((each) => each.key)).toEqual(['alice-container/20261129-120000-abce/data']);
  });

  it.each(['../outside', '/etc/passwd', 'a/../../b', ''])('refuses the key "%s"', async (bad) => {
    await expect(store.put(bad, stream(random(1)))).rejects.toThrow('no key');
    await expect(store.get(bad)).rejects.toThrow('no key');
    await expect(store.delete(bad)).rejects.toThrow('no key');
    await expect(store.clear(bad)).rejects.toThrow('no key');
  });
});

describe('a folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'containarium-store-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('keeps others from reading backups', async () => {
    await new DirectoryStore(folder).put(key, stream(random(3)));
    expect((await stat(join(folder, key))).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'alice-container'))).mode & 0o777).toBe(0o700);
  });

  it('is refused if it is missing, for its disk may not be mounted', async () => {
    const store = new DirectoryStore(join(folder, 'missing'));
    const refused = { code: 'store-unavailable', why: 'it does not exist' };
    await expect(store.put(key, stream(random(3)))).rejects.toMatchObject(refused);
    await expect(store.list('')).rejects.toMatchObject(refused);
    await expect(store.freeBytes()).rejects.toMatchObject(refused);
    expect(await readdir(folder)).toEqual([]);
  });

  it('is refused if others may write there', async () => {
    await chmod(folder, 0o777);
    await expect(new DirectoryStore(folder).put(key, stream(random(3)))).rejects.toMatchObject({
      code: 'store-unavailable',
      why: 'other accounts may write there',
    });
  });

  it('lists no file that is no backup, and follows no link', async () => {
    await mkdir(join(folder, 'lost+found'));
    await writeFile(join(folder, 'read me'), 'text');
    await writeFile(join(folder, 'data.part~'), 'text');
    expect(await new DirectoryStore(folder).list('')).toEqual([]);
  });

  it('sweeps parts that nobody writes any more, and no others', async () => {
    const store = new DirectoryStore(folder);
    await store.put(key, stream(random(3)));
    const [old, fresh] = [join(folder, `${key}.part~`), join(folder, 'fresh.part~')];
    for (const path of [old, fresh]) await writeFile(path, 'part');
    await utimes(old, new Date('2026-01-01'), new Date('2026-01-01'));
    await store.sweep(new Date(Date.now() - 1000));
    expect(await readdir(folder)).toContain('fresh.part~');
    expect(await readdir(join(folder, key, '..'))).toEqual(['data']);
  });

  it('knows its free space', async () => {
    expect(await new DirectoryStore(folder).freeBytes()).toBeGreaterThan(0);
  });
});

describe('a bucket', () => {
  let server: S3Server;
  beforeEach(async () => {
    server = await startS3();
  });
  afterEach(() => server.close());

  const failTimes = (times: number, matches: (line: string) => boolean, status = 503): void => {
    let left = times;
    server.instead = (line, response) => {
      if (!matches(line) || left === 0) return false;
      left -= 1;
      response.writeHead(status).end('<Error><Code>SlowDown</Code></Error>');
      return true;
    };
  };

  it('has its keys below the prefix, and none of another host', async () => {
    await s3Store(server, { prefix: 'host-two' }).put(key, stream(random(3)));
    expect(await s3Store(server).list('')).toEqual([]);
    expect(await s3Store(server, { prefix: 'host' }).list('')).toEqual([]);
    expect(server.requests[0]).toBe(`PUT /backups/host-two/${key}`);
  });

  it('is refused with wrong keys', async () => {
    const store = s3Store(server, { secretAccessKey: 'wrong' });
    const refused = { code: 'store-unavailable', why: expect.stringContaining('SignatureDoesNotMatch') };
    await expect(store.put(key, stream(random(3)))).rejects.toMatchObject(refused);
    await expect(store.list('')).rejects.toMatchObject(refused);
    await expect(store.get(key)).rejects.toMatchObject(refused);
  });

  it('says that the bucket does not exist', async () => {
    const store = s3Store(server, { bucket: 'other' });
    await expect(store.list('')).rejects.toMatchObject({ why: expect.stringContaining('NoSuchBucket') });
    await expect(store.get(key)).rejects.toMatchObject({ code: 'store-unavailable' });
  });

  it('is asked again after errors that may pass, for each part', async () => {
    failTimes(2, (line) => line.includes('partNumber=2'));
    const bytes = random(4 * partBytes);
    await s3Store(server).put(key, stream(bytes));
    expect(server.requests.filter((line) => line.includes('partNumber=2'))).toHaveLength(3);
    expect((await bytesOf(await s3Store(server).get(key))).equals(bytes)).toBe(true);
  });

  it('loses a backup whose part fails for ever, and aborts its upload', async () => {
    failTimes(99, (line) => line.includes('partNumber=2'));
    await expect(s3Store(server).put(key, stream(random(4 * partBytes)))).rejects.toMatchObject({
      code: 'store-unavailable',
      why: expect.stringContaining('SlowDown'),
    });
    expect(server.requests.some((line) => line.startsWith('DELETE') && line.includes('uploadId='))).toBe(true);
    expect(await s3Store(server).list('')).toEqual([]);
  });

  it('is not asked again after a refusal', async () => {
    failTimes(99, (line) => line.startsWith('PUT'), 403);
    await expect(s3Store(server).put(key, stream(random(3)))).rejects.toMatchObject({ code: 'store-unavailable' });
    expect(server.requests).toHaveLength(1);
  });

  it('has not joined the parts if it says so after its status', async () => {
    server.instead = (line, response) => {
      if (!line.startsWith('POST') || !line.includes('uploadId=')) return false;
      response.writeHead(200).end('<Error><Code>InternalError</Code></Error>');
      return true;
    };
    await expect(s3Store(server).put(key, stream(random(4 * partBytes)))).rejects.toMatchObject({
      why: expect.stringContaining('did not join the parts'),
    });
  });

  it('is not followed to another address', async () => {
    server.instead = (_, response) => {
      response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end();
      return true;
    };
    await expect(s3Store(server).list('')).rejects.toMatchObject({ why: expect.stringContaining('307') });
  });

  it('that does not answer is given up', async () => {
    server.instead = () => true;
    await expect(s3Store(server, { limits: { ...limits, requestMs: 100 } }).list('')).rejects.toMatchObject({
      code: 'store-unavailable',
      why: expect.stringContaining('did not answer within'),
    });
    expect(server.requests).toHaveLength(3);
  });

  it('that stops in the middle of an answer is given up', async () => {
    await s3Store(server).put(key, stream(random(10)));
    server.instead = (line, response) => {
      if (!line.startsWith('GET')) return false;
      response.writeHead(200, { 'content-length': '1000000' }).write('begin');
      return true;
    };
    await expect(bytesOf(await s3Store(server).get(key))).rejects.toMatchObject({ why: 'the server stopped sending' });
  });

  it('that is not there is unavailable', async () => {
    const store = s3Store(server, { endpoint: 'http://127.0.0.1:1', limits: { ...limits, retries: 0 } });
    await expect(store.list('')).rejects.toMatchObject({
      code: 'store-unavailable',
      why: expect.stringMatching(/does not answer|port/),
    });
  });

  it.each([
    ['no list', '<html>hello</html>', 'unexpected format'],
    ['a list without an end', '<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>', 'is cut'],
    ['more than fits', `<ListBucketResult>${'x'.repeat(5_000_000)}`, 'more than'],
  ])('that answers with %s is not believed', async (_, answer, why) => {
    server.instead = (line, response) => (response.writeHead(200).end(answer), true);
    await expect(s3Store(server, { limits: { ...limits, retries: 0 } }).list('')).rejects.toMatchObject({
      code: 'store-unavailable',
      why: expect.stringContaining(why),
    });
  });

  it('lists page by page, and only keys that are some', async () => {
    const entry = (path: string): string =>
      `<Contents><Key>${path}</Key><Size>3</Size><LastModified>2026-11-29T00:00:00Z</LastModified></Contents>`;
    server.instead = (line, response) => {
      const isSecond = line.includes('continuation-token=a%2Fb%26c');
      response
        .writeHead(200)
        .end(
          isSecond
            ? `<ListBucketResult><IsTruncated>false</IsTruncated>${entry('host-one/b')}</ListBucketResult>`
            : `<ListBucketResult xmlns="x"><IsTruncated>true</IsTruncated><NextContinuationToken>a/b&amp;c</NextContinuationToken>` +
                `${entry('host-one/a')}${entry('host-one/../x')}${entry('other/c')}${entry('host-one/&#47;etc')}</ListBucketResult>`,
        );
      return true;
    };
    expect((await s3Store(server).list('')).map((each) => each.key)).toEqual(['a', 'b']);
  });

  it('has uploads swept that were begun before a time', async () => {
    const upload = (id: string, path: string, begun: string): string =>
      `<Upload><Key>${path}</Key><UploadId>${id}</UploadId><Initiated>${begun}</Initiated></Upload>`;
    server.instead = (line, response) => {
      const answer = line.startsWith('GET')
        ? `<ListMultipartUploadsResult>${upload('old', `host-one/${key}`, '2026-11-01T00:00:00Z')}` +
          `${upload('fresh', `host-one/${key}`, '2026-11-29T00:00:00Z')}${upload('foreign', 'else/x', '2026-11-01T00:00:00Z')}</ListMultipartUploadsResult>`
        : '';
      response.writeHead(200).end(answer);
      return true;
    };
    await s3Store(server).sweep(new Date('2026-11-20'));
    expect(server.requests.filter((line) => line.startsWith('DELETE'))).toEqual([
      `DELETE /backups/host-one/${key}?uploadId=old`,
    ]);
  });
});
