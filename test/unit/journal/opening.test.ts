import { appendFile, copyFile, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Journal, type JournalRecord } from '../../../src/journal/journal.ts';
import { verifyJournal } from '../../../src/journal/history/verify.ts';
import { collect, linesOf, notesOf, segmentNames, temporaryFolder, writtenJournal } from './support.ts';

const first = '000001.jsonl';
const second = '000002.jsonl';

/** Writes the `head.json` of the journal when this line was its last. */
async function noteHead(folder: string, line: string): Promise<void> {
  const { seq, hash } = JSON.parse(line) as JournalRecord;
  await writeFile(join(folder, 'head.json'), JSON.stringify({ seq, hash }));
}

describe('an interrupted write', () => {
  it(
    'is cut off, reported and recorded, wherever it ended, and all earlier records are kept',
    { timeout: 30_000 },
    async () => {
      const folder = await writtenJournal(3);
      const path = join(folder, first);
      const whole = await readFile(path);
      const lines = await linesOf(folder);
      const good = whole.length - (lines.at(-1)?.length ?? 0) - 1;
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: whole.length - good - 1 }), async (torn) => {
          await writeFile(path, whole.subarray(0, good + torn));
          await noteHead(folder, lines[2] ?? '');
          const journal = await Journal.open({ folder });
          expect(journal.repaired).toEqual({ segment: first, bytes: torn });
          const records = await collect(journal.currentSegment());
          expect(notesOf(records)).toEqual([1, 2]);
          expect(records.at(-1)).toMatchObject({ seq: 4, type: 'repair', segment: first, bytes: torn });
          await journal.close();
          expect(await verifyJournal(folder)).toMatchObject({ ok: true, records: 4, incompleteBytes: 0 });
        }),
        { numRuns: 30 },
      );
    },
  );

  it('is cut off too if it left zeros, binary data or a line of garbage', async () => {
    for (const garbage of [
      Buffer.alloc(5000),
      Buffer.from([0xff, 0xfe, 0x00, 0x80]),
      Buffer.from('{"seq":5,"ti\n'),
      Buffer.from('\n'),
    ]) {
      const folder = await writtenJournal(3);
      await appendFile(join(folder, first), garbage);
      const journal = await Journal.open({ folder });
      expect(journal.repaired).toEqual({ segment: first, bytes: garbage.length });
      expect(await journal.append({ type: 'note', n: 4 })).toMatchObject({ seq: 6 });
      await journal.close();
      const again = await Journal.open({ folder });
      expect(again.repaired).toBeUndefined();
      await again.close();
      expect(await verifyJournal(folder)).toMatchObject({ ok: true, records: 6 });
    }
  });

  it('is not assumed for an acknowledged record without its line feed, which is never cut off', async () => {
    const folder = await writtenJournal(3);
    const path = join(folder, first);
    const { length } = await readFile(path);
    await truncate(path, length - 1);
    await expect(Journal.open({ folder })).rejects.toMatchObject({
      code: 'journal-damaged',
      details: { segment: first, line: 4, seq: 4 },
    });
    expect((await readFile(path)).length).toBe(length - 1);
  });

  it('at the beginning of a segment makes the previous segment the last again', async () => {
    for (const begun of ['', '{"seq":4']) {
      const folder = await writtenJournal(2);
      await writeFile(join(folder, second), begun);
      const journal = await Journal.open({ folder, segmentBytes: 100, carry: () => 'state' });
      expect(journal.repaired).toEqual(begun === '' ? undefined : { segment: second, bytes: begun.length });
      expect(await segmentNames(folder)).toEqual([first]);
      expect(notesOf(await collect(journal.currentSegment()))).toEqual([1, 2]);
      await journal.append({ type: 'note', n: 3 });
      expect((await collect(journal.currentSegment()))[0]).toMatchObject({ segment: 2, carry: 'state' });
      await journal.close();
      expect(await verifyJournal(folder)).toMatchObject({ ok: true, segments: 2, records: begun === '' ? 5 : 6 });
    }
  });

  it('at the beginning of the journal leaves a new journal', async () => {
    for (const begun of ['', '{"seq":1']) {
      const folder = await temporaryFolder();
      await writeFile(join(folder, first), begun);
      const journal = await Journal.open({ folder });
      expect(journal.repaired).toEqual(begun === '' ? undefined : { segment: first, bytes: begun.length });
      await journal.close();
      expect(await verifyJournal(folder)).toMatchObject({ ok: true, records: begun === '' ? 1 : 2 });
    }
  });
});

describe('damage', () => {
  async function refused(folder: string, details: object): Promise<string> {
    const names = await segmentNames(folder);
    const before = await Promise.all(names.map((name) => readFile(join(folder, name))));
    const error = await Journal.open({ folder }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: 'journal-damaged', details });
    expect(await segmentNames(folder)).toEqual(names);
    const after = await Promise.all(names.map((name) => readFile(join(folder, name))));
    expect(after.map((bytes, i) => bytes.equals(before[i] ?? Buffer.alloc(0)))).toEqual(names.map(() => true));
    return (error as Error).message;
  }

  it('by a line in the middle that is not JSON is reported and not repaired', async () => {
    const folder = await writtenJournal(4);
    const lines = await linesOf(folder);
    await writeFile(join(folder, first), lines.with(2, '{"torn').join('\n') + '\n');
    expect(await refused(folder, { segment: first, line: 3, seq: 3 })).toMatch(/record 3.*line 3/);
  });

  it('by a changed, missing or misplaced record in the middle is reported and not repaired', async () => {
    const lines = await linesOf(await writtenJournal(4));
    const changed = lines.with(2, (lines[2] ?? '').replace('"n":2', '"n":3'));
    const dropped = lines.toSpliced(2, 1);
    const reordered = [lines[0], lines[1], lines[3], lines[2], lines[4]];
    for (const wrong of [changed, dropped, reordered]) {
      const folder = await writtenJournal(4);
      await writeFile(join(folder, first), wrong.join('\n') + '\n');
      await refused(folder, { segment: first, line: 3, seq: 3 });
    }
  });

  it('of the last record is not taken for an interrupted write', async () => {
    const folder = await writtenJournal(4);
    const lines = await linesOf(folder);
    await writeFile(join(folder, first), lines.with(4, (lines[4] ?? '').replace('"n":4', '"n":5')).join('\n') + '\n');
    await refused(folder, { segment: first, line: 5, seq: 5 });
    await writeFile(join(folder, first), lines.with(4, 'garbage').join('\n') + '\n');
    await refused(folder, { segment: first, line: 5, seq: 5 });
  });

  it('by a lost end is reported: cut off after or within a record, emptied, or deleted', async () => {
    const folder = await writtenJournal(4);
    const lines = await linesOf(folder);
    await writeFile(join(folder, first), lines.slice(0, 3).join('\n') + '\n');
    expect(await refused(folder, { segment: first, line: 4, seq: 4 })).toContain('cut off');
    await writeFile(join(folder, first), '{"seq');
    await refused(folder, { segment: first, line: 1, seq: 1 });
    await writeFile(join(folder, first), '');
    await refused(folder, { segment: first, line: 1, seq: 1 });
    await rm(join(folder, first));
    await refused(folder, { segment: first, line: 0, seq: 1 });
  });

  it('by an end that was replaced by another one with valid hashes is reported', async () => {
    const folder = await writtenJournal(4);
    const other = await writtenJournal(9, { now: () => 0 });
    await copyFile(join(other, first), join(folder, first));
    await refused(folder, { segment: first, line: 5, seq: 5 });
  });

  it('by a missing or empty segment is reported, also at the end', async () => {
    const written = (): Promise<string> => writtenJournal(12, { segmentBytes: 800 });
    const folder = await written();
    const names = await segmentNames(folder);
    expect(names.length).toBeGreaterThan(3);
    await rm(join(folder, names.at(1) ?? ''));
    await refused(folder, { segment: names[1], line: 0 });
    const beheaded = await written();
    await rm(join(beheaded, names.at(-1) ?? ''));
    await refused(beheaded, { segment: names.at(-2) });
    const emptied = await written();
    await writeFile(join(emptied, names.at(-1) ?? ''), '');
    await refused(emptied, { segment: names.at(-2) });
  });

  it('by an incomplete line at the end of a segment before the last is reported, even if the last one is empty', async () => {
    const folder = await writtenJournal(2);
    await appendFile(join(folder, first), '{"seq":4');
    await writeFile(join(folder, second), '');
    await refused(folder, { segment: first });
  });

  it('by a segment without its header, or with a header that contradicts head.json, is reported', async () => {
    const folder = await writtenJournal(12, { segmentBytes: 800 });
    const names = await segmentNames(folder);
    const last = names.at(-1) ?? '';
    const lines = await linesOf(folder, last);
    await rm(join(folder, 'head.json'));
    await writeFile(join(folder, last), lines.slice(1).join('\n') + '\n');
    await refused(folder, { segment: last, line: 1 });
    await writeFile(join(folder, last), lines.join('\n') + '\n');
    const { seq } = JSON.parse(lines[0] ?? '') as JournalRecord;
    await writeFile(join(folder, 'head.json'), JSON.stringify({ seq: seq - 1, hash: 'a'.repeat(64) }));
    await refused(folder, { segment: last, line: 1, seq });
  });

  it('by a line longer than any record is reported, even at the end', async () => {
    const folder = await writtenJournal(2);
    await truncate(join(folder, first), 3 * 1024 * 1024);
    await refused(folder, { segment: first, line: 4, seq: 4 });
  });

  it('by an invalid head.json is reported, and an empty one is ignored', async () => {
    for (const text of ['garbage', '{}', 'null', '{"seq":-0.5,"hash":"x"}']) {
      const folder = await writtenJournal(2);
      await writeFile(join(folder, 'head.json'), text);
      await refused(folder, { segment: 'head.json', line: 1 });
    }
    for (const text of ['', '\0\0\0\0']) {
      const folder = await writtenJournal(2);
      await writeFile(join(folder, 'head.json'), text);
      await (await Journal.open({ folder })).close();
      expect(await verifyJournal(folder)).toMatchObject({ ok: true, endKnown: true });
    }
  });
});
