import { createHash } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lineOf, parseLine, readList, type FileEntry } from '../../../src/repository/fileList.ts';
import { listFiles, textOf, type FileCount } from '../../../src/repository/tarFiles.ts';
import { anyCharacter } from '../../support/anyCharacter.ts';
import { exported, type Files } from '../../support/exports.ts';

const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');

async function listOf(archive: AsyncIterable<Buffer>, maxFiles?: number) {
  const list = new PassThrough();
  const count: FileCount = { listed: 0, omitted: 0 };
  const text = textOf(list, 1_000_000);
  text.catch(() => undefined);
  await listFiles(archive, list, count, maxFiles);
  const entries: FileEntry[] = [];
  for await (const entry of readList(Readable.from([Buffer.from(await text)]))) entries.push(entry);
  return { entries, count };
}

describe('the list of the files of an export', () => {
  const files: Files = {
    '/etc/hosts': '127.0.0.1\n',
    '/home/alice/two words': 'x',
    '/home/alice/back\\slash': 'y',
    '/home/alice/line\nfeed': 'z',
    '/srv/large': Buffer.alloc(300_000, 'large'),
    '/srv/empty': '',
  };

  it.each([1, 511, 512, 513, 65_536])(
    'has each regular file with its checksum, in chunks of %i bytes',
    async (size) => {
      const small = size === 1 ? { '/etc/hosts': 'x' } : files;
      const { entries, count } = await listOf(exported(small, size));
      expect(Object.fromEntries(entries.map((entry) => [entry.path, entry.sha256]))).toEqual(
        Object.fromEntries(Object.entries(small).map(([path, content]) => [path, sha256(content)])),
      );
      expect(count).toEqual({ listed: Object.keys(small).length, omitted: 0 });
    },
  );

  it('has room for so many files, and counts the others', async () => {
    const { entries, count } = await listOf(exported(files), 2);
    expect(entries).toHaveLength(2);
    expect(count).toEqual({ listed: 2, omitted: 4 });
  });

  it('omits names that are not UTF-8', () => {
    expect(lineOf({ path: '/etc/\ufffd', sha256: sha256('') })).toBeUndefined();
  });

  it.each([
    ['cut within a file', (bytes: Buffer) => bytes.subarray(0, 200_000)],
    ['cut within a header', (bytes: Buffer) => bytes.subarray(0, 700)],
    ['no tar archive', () => Buffer.alloc(4096, 'no archive ')],
  ])('fails for an archive that is %s', async (_, damage) => {
    const archive = damage(Buffer.concat((await exported(files).toArray()) as Buffer[]));
    await expect(listOf(Readable.from([archive]))).rejects.toThrow(/tar|Unexpected end|header/i);
  });

  it('keeps any path of a file', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter, maxLength: 50 }), (name) => {
        const entry = { path: `/${name}`, sha256: sha256(name) };
        const line = lineOf(entry);
        if (line === undefined) return /[\0\ufffd]/.test(name);
        expect(line.indexOf('\n')).toBe(line.length - 1);
        expect(parseLine(line.slice(0, -1))).toEqual(entry);
        return true;
      }),
    );
  });

  it('passes over lines that are no entries', async () => {
    const entries: FileEntry[] = [];
    const text = `no entry\n${sha256('a')}  /etc/a\n${sha256('b')}  relative\n\n${'x'.repeat(20_000)}\n`;
    for await (const entry of readList(Readable.from([Buffer.from(text)]))) entries.push(entry);
    expect(entries).toEqual([{ path: '/etc/a', sha256: sha256('a') }]);
  });
});
