/** Archived segments and anchors: what leaves the journal, and what proves the journal from outside. */
import { appendFile, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { archivedFileName } from '../../../src/journal/archivedFile.ts';
import { archiveSegments } from '../../../src/journal/history/archive.ts';
import { appendAnchor, readAnchors } from '../../../src/journal/history/anchors.ts';
import { verifyJournal } from '../../../src/journal/history/verify.ts';
import { Journal } from '../../../src/journal/journal.ts';
import { queryJournal } from '../../../src/journal/query.ts';
import { collect, linesOf, notesOf, segmentNames, temporaryFolder } from './support.ts';

const dayMs = 86_400_000;
const beganMs = Date.parse('2026-01-01T00:00:00.000Z');
const day = (number: number): Date => new Date(beganMs + number * dayMs);

let folder: string;
let archive: string;
let clockMs: number;

/** A journal whose segments each have the record of one day. */
async function open(): Promise<Journal> {
  return Journal.open({ folder, segmentBytes: 1, now: () => clockMs });
}

beforeEach(async () => {
  folder = join(await temporaryFolder(), 'journal');
  archive = join(folder, '..', 'archive');
  clockMs = beganMs;
  const journal = await open();
  for (let n = 1; n <= 6; n += 1) {
    await journal.append({ type: 'note', n });
    clockMs += dayMs;
  }
  await journal.close();
});

/** Archives as a job does, in a journal that is open. */
async function archiveBefore(before: Date, journal?: Journal): Promise<string[]> {
  const own = journal ?? (await open());
  try {
    return await archiveSegments({ folder, archive, before, append: (entry) => own.append(entry) });
  } finally {
    if (journal === undefined) await own.close();
  }
}

describe('the archive', () => {
  it('gets the segments whose records are all older, and no other', async () => {
    const before = await readFile(join(folder, '000002.jsonl'));
    const names = await segmentNames(folder);
    expect(names).toHaveLength(7);
    // The first segment has no record of its own but the first; the third day begins the fourth.
    expect(await archiveBefore(day(2))).toEqual(['000001.jsonl', '000002.jsonl', '000003.jsonl']);
    expect(await readdir(archive)).toEqual(['000001.jsonl.gz', '000002.jsonl.gz', '000003.jsonl.gz']);
    expect(gunzipSync(await readFile(join(archive, '000002.jsonl.gz')))).toEqual(before);
    expect((await segmentNames(folder))[0]).toBe('000004.jsonl');
    expect(await archiveBefore(day(2))).toEqual([]);
  });

  it('never gets the two newest segments, which a start may have to read', async () => {
    const journal = await open();
    await archiveBefore(day(1000), journal);
    await journal.close();
    const left = await segmentNames(folder);
    expect(left.length).toBeGreaterThanOrEqual(2);
    expect(await verifyJournal(folder, { archive })).toMatchObject({ ok: true, archived: 0 });
  });

  it('leaves a journal that opens, is searched, and is verified with and without it', async () => {
    await archiveBefore(day(2));
    const journal = await open();
    await journal.append({ type: 'note', n: 7 });
    await journal.close();
    expect(notesOf(await collect(queryJournal(folder)))).toEqual([3, 4, 5, 6, 7]);
    const found = await verifyJournal(folder);
    expect(found).toMatchObject({ ok: true, archived: 5 });
    const whole = await verifyJournal(folder, { archive });
    expect(whole).toMatchObject({ ok: true, archived: 0 });
    if (found.ok && whole.ok) expect(whole.head).toEqual(found.head);
  });

  it('is named in the journal with the hash at which the chain goes on', async () => {
    const lines = await linesOf(folder, '000003.jsonl');
    const last = JSON.parse(lines.at(-1) ?? '') as { seq: number; hash: string };
    await archiveBefore(day(2));
    const records = await collect(queryJournal(folder, { types: ['archive'] }));
    expect(records.at(-1)).toMatchObject({ segment: '000003.jsonl', lastSeq: last.seq, lastHash: last.hash });
  });

  it('gets nothing of a segment that was changed', async () => {
    const path = join(folder, '000002.jsonl');
    await writeFile(path, (await readFile(path, 'utf8')).replace('"n":1', '"n":9'));
    await expect(archiveBefore(day(5))).rejects.toMatchObject({ code: 'journal-damaged' });
    expect(await segmentNames(folder)).toContain('000002.jsonl');
    expect(await readdir(archive)).toEqual(['000001.jsonl.gz']);
  });

  it('is not written over', async () => {
    await mkdir(archive);
    await writeFile(join(archive, '000001.jsonl.gz'), gzipSync('another journal\n'));
    await expect(archiveBefore(day(2))).rejects.toMatchObject({ code: 'journal-damaged' });
    expect((await segmentNames(folder))[0]).toBe('000001.jsonl');
    expect(gunzipSync(await readFile(join(archive, '000001.jsonl.gz'))).toString()).toBe('another journal\n');
  });

  it('that cannot be written leaves the journal as it is', async () => {
    await writeFile(archive, 'a file where the folder should be');
    await expect(archiveBefore(day(2))).rejects.toMatchObject({ code: 'journal-unwritable' });
    expect((await segmentNames(folder))[0]).toBe('000001.jsonl');
    expect(await verifyJournal(folder)).toMatchObject({ ok: true });
  });

  describe('cut off', () => {
    it('while it was written, is written again', async () => {
      await mkdir(archive);
      await writeFile(join(archive, '000001.jsonl.gz.new'), gzipSync('cut off').subarray(0, 9));
      expect(await archiveBefore(day(1))).toEqual(['000001.jsonl', '000002.jsonl']);
      expect(await verifyJournal(folder, { archive })).toMatchObject({ ok: true });
    });

    it('before the journal named it, is named', async () => {
      const failing = (): Promise<never> => Promise.reject(new Error('the disk is full'));
      await expect(archiveSegments({ folder, archive, before: day(1), append: failing })).rejects.toThrow('full');
      expect(await segmentNames(folder)).toContain('000001.jsonl');
      expect(await verifyJournal(folder)).toMatchObject({ ok: true, archived: 0 });
      expect(await archiveBefore(day(1))).toHaveLength(2);
    });

    it('before the segment was removed, removes it, and names it once', async () => {
      const kept = await readFile(join(folder, '000002.jsonl'));
      await archiveBefore(day(1));
      await writeFile(join(folder, '000002.jsonl'), kept);
      expect(await verifyJournal(folder)).toMatchObject({ ok: true });
      const journal = await open();
      expect(await archiveBefore(day(1), journal)).toEqual(['000002.jsonl']);
      await journal.close();
      expect(await collect(queryJournal(folder, { types: ['archive'] }))).toHaveLength(2);
      expect(await verifyJournal(folder)).toMatchObject({ ok: true });
    });
  });
});

describe('verification after archiving', () => {
  beforeEach(() => archiveBefore(day(2)).then(() => undefined));

  it('finds a beginning that was cut off and never archived', async () => {
    await rm(join(folder, '000004.jsonl'));
    expect(await verifyJournal(folder)).toMatchObject({
      ok: false,
      firstBad: { segment: '000004.jsonl', line: 0, reason: 'the segment is missing' },
    });
    const record = JSON.parse((await linesOf(folder, '000005.jsonl'))[0] ?? '') as { seq: number; prev: string };
    const forged = { segment: 4, seq: record.seq - 1, hash: record.prev };
    await writeFile(join(folder, archivedFileName), JSON.stringify(forged));
    expect(await verifyJournal(folder)).toMatchObject({
      ok: false,
      firstBad: {
        segment: '000005.jsonl',
        line: 1,
        reason: expect.stringContaining('the beginning was cut off') as string,
      },
    });
  });

  it('finds that the file beside the segments was lost or spoilt, and so does a start', async () => {
    const path = join(folder, archivedFileName);
    await writeFile(path, '{}');
    expect(await verifyJournal(folder)).toMatchObject({ ok: false, firstBad: { segment: archivedFileName } });
    await rm(path);
    expect(await verifyJournal(folder)).toMatchObject({ ok: false, firstBad: { segment: '000001.jsonl', line: 0 } });
    await expect(open()).rejects.toMatchObject({ code: 'journal-damaged' });
  });

  it.each([
    ['is missing', (path: string) => rm(path), 'the archived segment is missing'],
    [
      'was cut off',
      async (path: string) => writeFile(path, (await readFile(path)).subarray(0, -12)),
      'it cannot be unpacked',
    ],
    ['is no archive', (path: string) => writeFile(path, 'plain'), 'it cannot be unpacked'],
    [
      'was changed',
      async (path: string) =>
        writeFile(
          path,
          gzipSync(
            gunzipSync(await readFile(path))
              .toString()
              .replace('"n":1', '"n":9'),
          ),
        ),
      'its text does not match its hash',
    ],
  ])('finds an archived segment that %s', async (_what, spoil, reason) => {
    await spoil(join(archive, '000002.jsonl.gz'));
    expect(await verifyJournal(folder)).toMatchObject({ ok: true });
    expect(await verifyJournal(folder, { archive })).toMatchObject({
      ok: false,
      firstBad: { segment: '000002.jsonl.gz', reason: expect.stringContaining(reason) as string },
    });
  });
});

describe('anchors', () => {
  let path: string;
  beforeEach(() => {
    path = join(folder, '..', 'anchors');
  });

  async function anchor(): Promise<number> {
    const journal = await open();
    await appendAnchor(path, { ...journal.head, time: new Date(clockMs).toISOString() });
    await journal.close();
    return journal.head.seq;
  }

  it('match the journal that they were made of, however it grows', async () => {
    await anchor();
    const journal = await open();
    await journal.append({ type: 'note', n: 7 });
    await journal.close();
    await anchor();
    expect(await verifyJournal(folder, { anchors: path })).toMatchObject({ ok: true, anchors: 2 });
    expect(await verifyJournal(folder, { anchors: join(folder, 'none') })).toMatchObject({ ok: true, anchors: 0 });
  });

  it('name the first one that a replaced journal does not match', async () => {
    const seq = await anchor();
    await rename(folder, `${folder}.old`);
    const journal = await open();
    for (let n = 0; n < 10; n += 1) await journal.append({ type: 'note', n: 100 + n });
    await journal.close();
    expect(await verifyJournal(folder)).toMatchObject({ ok: true });
    expect(await verifyJournal(folder, { anchors: path })).toMatchObject({
      ok: false,
      records: seq - 1,
      firstBad: { segment: 'anchors', line: 1, seq, reason: expect.stringContaining('another hash') as string },
    });
  });

  it('show that the end was cut off with the file that names it', async () => {
    await anchor();
    const names = await segmentNames(folder);
    await rm(join(folder, names.at(-1) ?? ''));
    await rm(join(folder, 'head.json'));
    expect(await verifyJournal(folder)).toMatchObject({ ok: true });
    expect(await verifyJournal(folder, { anchors: path })).toMatchObject({
      ok: false,
      firstBad: { segment: 'anchors', line: 1 },
    });
  });

  it('are read past lines that are none, and written after one that was cut off', async () => {
    await anchor();
    await appendFile(path, '{"seq":3,"ha');
    await anchor();
    const found = await readAnchors(path);
    expect(found.unreadable).toBe(1);
    expect([...found.anchors.values()].map(({ line }) => line)).toEqual([1]);
    expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(4);
    expect(await verifyJournal(folder, { anchors: path })).toMatchObject({ ok: true, anchors: 1 });
  });

  it('are not written through a symbolic link, nor read from a folder', async () => {
    await symlink(join(folder, 'head.json'), path);
    await expect(anchor()).rejects.toMatchObject({ code: 'ELOOP' });
    await rm(path);
    await mkdir(path);
    await expect(readAnchors(path)).rejects.toMatchObject({ code: 'journal-unwritable' });
    // The journal itself is checked all the same.
    expect(await verifyJournal(folder, { anchors: path })).toMatchObject({
      ok: true,
      anchors: null,
      anchorTrouble: expect.stringContaining('EISDIR') as string,
    });
  });
});
