/** `backup download` with the stock ssh client: bytes, at the pace at which the client reads. */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { zstdDecompressSync } from 'node:zlib';
import { Decrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { beforeAll, describe, expect, test } from 'vitest';
import { Repository } from '../../src/repository/repository.ts';
import { DirectoryStore } from '../../src/repository/stores/directory.ts';
import { compressedExport, exported } from '../support/exports.ts';
import { frontOf } from '../support/front.ts';
import { startServer, temporaryFolder, type TestServer } from '../support/server.ts';

const [small, large, secret] = ['20260101-000000-tiny', '20260102-000000-huge', '20260103-000000-hide'];
const largeBytes = 48 * 1024 * 1024;
const files = { small: { '/etc/hosts': '127.0.0.1\n' }, large: { '/srv/large': randomBytes(largeBytes) } };

let server: TestServer;
let folder: string;
let identity: string;

const write = async (
  id: string,
  contents: Parameters<typeof exported>[0],
  recipients: string[] = [],
): Promise<void> => {
  const names = { id, user: 'alice', container: 'alice-container', createdBy: 'carol', incusVersion: '6.0.4' };
  await new Repository([new DirectoryStore(folder)], recipients).write(
    { ...names, createdAt: new Date().toISOString(), config: {}, devices: {} },
    compressedExport(contents),
    { now: () => new Date() },
  );
};

const streams = { full: randomBytes(300_000), increment: randomBytes(1000) };

/** Stores a backup of ZFS. What its stream is does not matter to a download. */
const writeSent = async (id: string, base: string | null, data: Buffer, recipients: string[] = []): Promise<void> => {
  const names = { id, user: 'alice', container: 'alice-container', createdBy: 'carol', incusVersion: '6.0.4' };
  const about = {
    ...names,
    createdAt: new Date().toISOString(),
    config: {},
    devices: {},
    guid: '1',
    base,
    idmap: null,
  };
  await new Repository([new DirectoryStore(folder)], recipients).writeZfs(
    about,
    {
      data: Readable.from([data], { objectMode: false }),
      files: Readable.from([], { objectMode: false }),
      count: () => ({ listed: 0, omitted: 0 }),
      confirm: () => Promise.resolve(),
    },
    { now: () => new Date() },
  );
};

beforeAll(async () => {
  folder = await temporaryFolder();
  identity = await generateX25519Identity();
  await write(small, files.small);
  await write(large, files.large);
  await write(secret, files.small, [await identityToRecipient(identity)]);
  server = await startServer({ config: { backups: { directory: folder } } });
});

interface Downloaded {
  readonly bytes: Buffer;
  readonly stderr: string;
  readonly code: number | null;
}

/** Downloads with ssh, or on the host. `pause` comes before the first byte is read. */
async function download(
  words: readonly string[],
  { stdin = '', pause }: { stdin?: string; pause?: () => Promise<void> } = {},
): Promise<Downloaded> {
  const child = spawn('ssh', [...server.sshArguments(), 'backup', 'download', 'alice', ...words]);
  child.stdin.end(stdin);
  const stderr = child.stderr.toArray();
  const ended = once(child, 'close');
  await pause?.();
  const bytes = Buffer.concat((await child.stdout.toArray()) as Buffer[]);
  const [code] = (await ended) as [number | null];
  return { bytes, stderr: Buffer.concat((await stderr) as Buffer[]).toString(), code };
}

const stored = (id: string): Promise<Buffer> => readFile(join(folder, 'alice-container', id, 'data'));
const archive = async (contents: Parameters<typeof exported>[0]): Promise<Buffer> =>
  Buffer.concat((await exported(contents).toArray()) as Buffer[]);
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('backup download', () => {
  test('sends what is stored, and says so on standard error', async () => {
    const { bytes, stderr, code } = await download([small]);
    expect(code, stderr).toBe(0);
    expect(bytes.equals(await stored(small))).toBe(true);
    expect(zstdDecompressSync(bytes).equals(await archive(files.small))).toBe(true);
    expect(stderr).toContain(`Backup ${small}: ${bytes.length} bytes\n`);
  });

  test('sends the archive of Incus with --plain', async () => {
    const { bytes, code } = await download([small, '--plain']);
    expect(code).toBe(0);
    expect(bytes.equals(await archive(files.small))).toBe(true);
  });

  test('sends an encrypted backup as it is, or decrypted for who has the key', async () => {
    const encrypted = await download([secret]);
    expect(encrypted.code).toBe(0);
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    const decrypted = Buffer.from(await decrypter.decrypt(encrypted.bytes));
    expect(zstdDecompressSync(decrypted).equals(await archive(files.small))).toBe(true);

    const plain = await download([secret, '--identity', '-'], { stdin: identity });
    expect(plain.code, plain.stderr).toBe(0);
    expect(plain.bytes.equals(await archive(files.small))).toBe(true);
    expect(await download([secret, '--plain'])).toMatchObject({ code: 2, bytes: Buffer.alloc(0) });
    expect((await server.ssh(['audit', '--json'])).stdout).not.toContain('AGE-SECRET-KEY');
    expect(server.log()).not.toContain('AGE-SECRET-KEY');
  });

  test('sends the stream of the full backup of ZFS first, and then of each that builds on it', async () => {
    const [full, increment] = ['20260105-000000-full', '20260106-000000-incr'];
    await writeSent(full, null, streams.full);
    await writeSent(increment, full, streams.increment);
    const both = Buffer.concat([streams.full, streams.increment]);
    const plain = await download([increment, '--plain']);
    expect(plain.code, plain.stderr).toBe(0);
    expect(plain.bytes.equals(both)).toBe(true);
    const asStored = await download([increment]);
    expect(asStored.bytes.equals(Buffer.concat([await stored(full), await stored(increment)]))).toBe(true);
  });

  test('refuses encrypted streams of ZFS that would be no file of age together, unless it can decrypt them', async () => {
    const [full, increment] = ['20260107-000000-full', '20260108-000000-incr'];
    const recipients = [await identityToRecipient(identity)];
    await writeSent(full, null, streams.full, recipients);
    await writeSent(increment, full, streams.increment, recipients);
    const refused = await download([increment]);
    expect(refused).toMatchObject({ code: 2, bytes: Buffer.alloc(0) });
    expect(refused.stderr).toContain('give the identity of a recipient with --identity');
    const plain = await download([increment, '--identity', '-'], { stdin: identity });
    expect(plain.bytes.equals(Buffer.concat([streams.full, streams.increment]))).toBe(true);
    expect((await download([full])).code).toBe(0);
  });

  test('keeps no more in memory than a few pieces while the client reads nothing', async () => {
    const front = await frontOf(server);
    const resident = async (pid: number): Promise<number> =>
      Number(/^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
    const processes = async (): Promise<number> => (await resident(server.pid)) + (await resident(front));
    await download([small]);
    const before = await processes();
    let during = 0;
    const { bytes, code } = await download([large], {
      pause: async () => {
        await setTimeout(3000);
        during = await processes();
      },
    });
    expect(code).toBe(0);
    expect(sha256(bytes)).toBe(sha256(await stored(large)));
    expect(during - before).toBeLessThan(largeBytes / 2);
  });

  test('ends when its client leaves', async () => {
    const child = spawn('ssh', [...server.sshArguments(), 'backup', 'download', 'alice', large]);
    await once(child.stdout, 'readable');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect((await download([small])).code).toBe(0);
  });

  test('fails at the end if the backup is not as it was stored', async () => {
    const id = '20260104-000000-torn';
    await write(id, { '/srv/file': randomBytes(300_000) });
    const data = await stored(id);
    data[1000] = (data[1000] ?? 0) ^ 1;
    await writeFile(join(folder, 'alice-container', id, 'data'), data);
    const { code, stderr } = await download([id]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/is not what was stored/);
  });

  test('refuses another format, and a terminal', async () => {
    const document = await server.ssh(['backup', 'download', 'alice', small, '--json']);
    expect(document.code).toBe(2);
    expect(JSON.parse(document.stdout)).toMatchObject({ ok: false, error: { code: 'usage' } });
    const terminal = spawn('ssh', ['-tt', ...server.sshArguments(), 'backup', 'download', 'alice', small]);
    terminal.stdin.end();
    const shown = Buffer.concat((await terminal.stdout.toArray()) as Buffer[]).toString();
    expect(shown).toMatch(/its output is bytes, and this is a terminal/);
    expect(shown).toMatch(/> FILE/);
  });

  test('works on the host, into a pipe', async () => {
    const { stdout, code } = await server.local(['backup', 'download', 'alice', small, '--plain']);
    expect(code).toBe(0);
    expect(stdout).toContain('127.0.0.1');
  });
});
