import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Journal, type JournalRecord } from '../../../src/journal/journal.ts';
import { verifyJournal } from '../../../src/journal/history/verify.ts';
import { collect, errno, linesOf, notesOf, segmentNames, temporaryFolder, TroubledFiles } from './support.ts';

/** Opens a journal with one record, on files that can be made to fail. */
async function opened(segmentBytes?: number): Promise<{ folder: string; files: TroubledFiles; journal: Journal }> {
  const folder = await temporaryFolder();
  const files = new TroubledFiles();
  const journal = await Journal.open({ folder, files, ...(segmentBytes === undefined ? {} : { segmentBytes }) });
  await journal.append({ type: 'note', n: 1 });
  return { folder, files, journal };
}

describe('a failed write', () => {
  for (const operation of ['write', 'datasync'] as const) {
    it(`in ${operation} rejects the append, leaves nothing behind, and lets the next append succeed`, async () => {
      const { folder, files, journal } = await opened();
      const { head } = journal;
      files.before = (called) => {
        if (called === operation) throw errno('EIO', 'i/o error');
      };
      const path = join(folder, '000001.jsonl');
      await expect(journal.append({ type: 'note', n: 2 })).rejects.toMatchObject({
        code: 'journal-unwritable',
        what: expect.stringContaining(path),
        why: expect.stringContaining('EIO'),
        details: { path, errno: 'EIO' },
      });
      expect(journal.head).toEqual(head);
      expect(await linesOf(folder)).toHaveLength(2);
      files.before = () => undefined;
      expect(await journal.append({ type: 'note', n: 3 })).toMatchObject({ seq: 3 });
      expect(notesOf(await collect(journal.currentSegment()))).toEqual([1, 3]);
      await journal.close();
      expect(await verifyJournal(folder)).toMatchObject({ ok: true, records: 3 });
    });
  }

  it('that was partly written is removed completely', async () => {
    const { folder, files, journal } = await opened();
    files.maxBytes = 10;
    let left = 5;
    files.before = (called) => {
      if (called === 'write' && (left -= 1) < 0) throw errno('ENOSPC', 'no space left on device');
    };
    await expect(journal.append({ type: 'note', n: 2 })).rejects.toMatchObject({
      code: 'journal-unwritable',
      next: expect.stringContaining('space'),
    });
    expect(files.calls.truncate).toBe(1);
    await journal.close();
    expect(await verifyJournal(folder)).toMatchObject({ ok: true, records: 2, incompleteBytes: 0 });
  });

  it('rejects every append that shared it, and no other', async () => {
    const { folder, files, journal } = await opened();
    let failures = 1;
    files.before = (called) => {
      if (called === 'datasync' && (failures -= 1) >= 0) throw errno('EIO');
    };
    const early = Array.from({ length: 5 }, (_, i) => journal.append({ type: 'note', n: 10 + i }));
    const earlyResults = Promise.allSettled(early);
    await early[0]?.catch(() => undefined);
    const late = await journal.append({ type: 'note', n: 20 });
    expect((await earlyResults).map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => 'rejected'));
    expect(late.seq).toBe(3);
    await journal.close();
    expect(await verifyJournal(folder)).toMatchObject({ ok: true, records: 3 });
  });

  it('of the second part of a batch does not undo the first part', async () => {
    const { folder, files, journal } = await opened();
    const text = 'x'.repeat(600 * 1024);
    let syncs = 0;
    files.before = (called) => {
      if (called === 'datasync' && (syncs += 1) === 2) throw errno('EIO');
    };
    const results = await Promise.allSettled([
      journal.append({ type: 'note', n: 2, text }),
      journal.append({ type: 'note', n: 3, text }),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    await journal.close();
    expect(await verifyJournal(folder)).toMatchObject({ ok: true, records: 3 });
  });

  it('does not result from short writes of the system, which are completed', async () => {
    const { folder, files, journal } = await opened();
    files.maxBytes = 7;
    await Promise.all([journal.append({ type: 'note', n: 2 }), journal.append({ type: 'note', n: 3 })]);
    await journal.close();
    expect(await verifyJournal(folder)).toMatchObject({ ok: true, records: 4 });
  });

  it('is assumed if writes make no progress', async () => {
    const { files, journal } = await opened();
    files.maxBytes = 0;
    await expect(journal.append({ type: 'note', n: 2 })).rejects.toMatchObject({ code: 'journal-unwritable' });
    await journal.close();
  });

  it('that cannot be removed makes the journal refuse every append until it is opened again', async () => {
    const { folder, files, journal } = await opened();
    files.maxBytes = 20;
    let writes = 0;
    files.before = (called) => {
      if (called === 'truncate') throw errno('EROFS', 'read-only file system');
      if (called === 'write' && (writes += 1) > 1) throw errno('EIO');
    };
    await expect(journal.append({ type: 'note', n: 2 })).rejects.toMatchObject({
      code: 'journal-unwritable',
      why: expect.stringMatching(/EIO.*EROFS/),
    });
    files.before = () => undefined;
    files.maxBytes = Infinity;
    await expect(journal.append({ type: 'note', n: 3 })).rejects.toMatchObject({ code: 'journal-unwritable' });
    await journal.close();
    expect(await verifyJournal(folder)).toMatchObject({ ok: true, records: 2, incompleteBytes: 20 });
    const again = await Journal.open({ folder });
    expect(again.repaired).toEqual({ segment: '000001.jsonl', bytes: 20 });
    await again.close();
  });
});

describe('a failed rotation', () => {
  for (const operation of ['open', 'write', 'datasync', 'syncFolder'] as const) {
    it(`in ${operation} rejects the append, leaves no new segment, and is repeated by the next append`, async () => {
      const { folder, files, journal } = await opened(100);
      let armed = true;
      files.before = (called) => {
        if (armed && called === operation) {
          armed = false;
          throw errno('ENOSPC');
        }
      };
      const names = await segmentNames(folder);
      await expect(journal.append({ type: 'note', n: 2 })).rejects.toMatchObject({
        code: 'journal-unwritable',
        details: { errno: 'ENOSPC' },
      });
      expect(await segmentNames(folder)).toEqual(names);
      await journal.append({ type: 'note', n: 3 });
      expect(await segmentNames(folder)).toHaveLength(names.length + 1);
      await journal.close();
      expect(await verifyJournal(folder)).toMatchObject({ ok: true, segments: names.length + 1 });
    });
  }

  it('that cannot be undone makes the journal refuse every append until it is opened again', async () => {
    const { folder, files, journal } = await opened(100);
    files.before = (called) => {
      if (called === 'datasync' || called === 'remove') throw errno('EIO');
    };
    await expect(journal.append({ type: 'note', n: 2 })).rejects.toMatchObject({ code: 'journal-unwritable' });
    files.before = () => undefined;
    await expect(journal.append({ type: 'note', n: 3 })).rejects.toMatchObject({ code: 'journal-unwritable' });
    await journal.close();
    await (await Journal.open({ folder })).close();
    expect(await verifyJournal(folder)).toMatchObject({ ok: true });
  });
});

it('a head.json that cannot be written does not stop the journal, and is written later', async () => {
  const { folder, journal } = await opened();
  await journal.close();
  const obstacle = join(folder, 'head.json.new');
  await mkdir(obstacle);
  const without = await Journal.open({ folder });
  expect(await without.append({ type: 'note', n: 2 })).toMatchObject({ seq: 3 });
  await without.close();
  expect(await verifyJournal(folder)).toMatchObject({ ok: true, records: 3 });
  await rm(obstacle, { recursive: true });
  await (await Journal.open({ folder })).close();
  const [, , last] = await linesOf(folder);
  expect(JSON.parse(await readFile(join(folder, 'head.json'), 'utf8'))).toEqual({
    seq: 3,
    hash: (JSON.parse(last ?? '') as JournalRecord).hash,
  });
});

describe('opening a journal on a full disk', () => {
  it('rejects, and leaves the journal unchanged and unlocked for the next attempt', async () => {
    const folder = await temporaryFolder();
    const files = new TroubledFiles();
    files.before = (called) => {
      if (called === 'write') throw errno('ENOSPC');
    };
    await expect(Journal.open({ folder, files })).rejects.toMatchObject({ code: 'journal-unwritable' });
    files.before = () => undefined;
    await (await Journal.open({ folder, files })).close();
    expect(await verifyJournal(folder)).toMatchObject({ ok: true, records: 1 });
  });
});
