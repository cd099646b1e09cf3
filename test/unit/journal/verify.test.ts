import { appendFile, copyFile, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Journal, type JournalRecord } from '../../../src/journal/journal.ts';
import { verifyJournal, type Verification } from '../../../src/journal/history/verify.ts';
import { linesOf, segmentNames, temporaryFolder, tickingClock, writtenJournal } from './support.ts';

const first = '000001.jsonl';

async function written(folder: string, lines: readonly (string | undefined)[]): Promise<Verification> {
  await writeFile(join(folder, first), lines.map((line) => `${line}\n`).join(''));
  return verifyJournal(folder);
}

function badAt(line: number, seq: number, reason: string): object {
  return {
    ok: false,
    records: seq - 1,
    firstBad: { segment: first, line, seq, reason: expect.stringContaining(reason) },
  };
}

describe('an undamaged journal', () => {
  it('verifies, with its length and its head', async () => {
    const folder = await writtenJournal(30, { segmentBytes: 1500 });
    const names = await segmentNames(folder);
    const last = JSON.parse((await linesOf(folder, names.at(-1))).at(-1) ?? '') as JournalRecord;
    expect(await verifyJournal(folder)).toEqual({
      ok: true,
      records: 30 + names.length,
      segments: names.length,
      head: { seq: 30 + names.length, hash: last.hash },
      archived: 0,
      anchors: null,
      anchorTrouble: null,
      endKnown: true,
      incompleteBytes: 0,
    });
  });

  it('verifies at every moment while records are appended and segments rotate', { timeout: 120_000 }, async () => {
    const folder = await temporaryFolder();
    const journal = await Journal.open({ folder, segmentBytes: 3000 });
    let appending = true;
    const callers = Array.from({ length: 4 }, async () => {
      for (let n = 0; n < 80; n += 1) await journal.append({ type: 'note', n, text: 'x'.repeat(n * 10) });
    });
    const done = Promise.all(callers).then(() => (appending = false));
    let checks = 0;
    let records = 0;
    while (appending) {
      const verification = await verifyJournal(folder);
      expect(verification).toMatchObject({ ok: true });
      expect(verification.records).toBeGreaterThanOrEqual(records);
      records = verification.records;
      checks += 1;
    }
    await done;
    expect(checks).toBeGreaterThan(1);
    await journal.close();
    expect((await verifyJournal(folder)).records).toBe(journal.head.seq);
  });

  it('without head.json verifies, with an unconfirmed end', async () => {
    const folder = await writtenJournal(3);
    await rm(join(folder, 'head.json'));
    expect(await verifyJournal(folder)).toMatchObject({ ok: true, records: 4, endKnown: false });
  });

  it('verifies with an unacknowledged write at its end or an empty last segment, as after a crash', async () => {
    const folder = await writtenJournal(3);
    await appendFile(join(folder, first), '{"seq":5,"ti');
    expect(await verifyJournal(folder)).toMatchObject({ ok: true, records: 4, incompleteBytes: 12 });
    const rotating = await writtenJournal(3);
    await writeFile(join(rotating, '000002.jsonl'), '');
    expect(await verifyJournal(rotating)).toMatchObject({ ok: true, records: 4 });
  });
});

describe('verification reports the first bad record', () => {
  it('after a change of any byte in any segment', { timeout: 30_000 }, async () => {
    const folder = await writtenJournal(12, { segmentBytes: 1000 });
    const names = await segmentNames(folder);
    const lengths = new Map<string, number>();
    for (const name of names) lengths.set(name, (await readFile(join(folder, name))).length);
    const place = fc
      .constantFrom(...names)
      .chain((name) => fc.tuple(fc.constant(name), fc.nat({ max: (lengths.get(name) ?? 1) - 1 })));
    await fc.assert(
      fc.asyncProperty(place, fc.integer({ min: 1, max: 255 }), async ([name, at], difference) => {
        const path = join(folder, name);
        const good = await readFile(path);
        const bytes = Buffer.from(good);
        bytes[at] = (bytes[at] ?? 0) ^ difference;
        await writeFile(path, bytes);
        const verification = await verifyJournal(folder);
        await writeFile(path, good);
        const line = good.subarray(0, at).toString('latin1').split('\n').length;
        const { seq } = JSON.parse(good.toString().split('\n')[line - 1] ?? '') as JournalRecord;
        expect(verification).toMatchObject({ ok: false, records: seq - 1, firstBad: { segment: name, line, seq } });
      }),
      { numRuns: 60 },
    );
    expect(await verifyJournal(folder)).toMatchObject({ ok: true });
  });

  it('after the journal was cut off anywhere', { timeout: 30_000 }, async () => {
    const folder = await writtenJournal(4);
    const whole = await readFile(join(folder, first));
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: whole.length - 1 }), async (length) => {
        await writeFile(join(folder, first), whole.subarray(0, length));
        const lost = whole.subarray(0, length).toString('latin1').split('\n').length;
        expect(await verifyJournal(folder)).toMatchObject({
          ok: false,
          records: lost - 1,
          firstBad: { segment: first, line: lost, seq: lost },
        });
      }),
      { numRuns: 60 },
    );
  });

  it('after the journal was cut off within a line and head.json was deleted', async () => {
    const folder = await writtenJournal(3);
    await truncate(join(folder, first), (await readFile(join(folder, first))).length - 1);
    await rm(join(folder, 'head.json'));
    expect(await verifyJournal(folder)).toMatchObject(badAt(4, 4, 'incomplete'));
  });

  it('after a line was removed, moved, duplicated or inserted', async () => {
    const folder = await writtenJournal(5);
    const lines = await linesOf(folder);
    expect(await written(folder, lines.toSpliced(2, 1))).toMatchObject(badAt(3, 3, 'this is record 4'));
    expect(await written(folder, [lines[0], lines[2], lines[1], ...lines.slice(3)])).toMatchObject(
      badAt(2, 2, 'this is record 3'),
    );
    expect(await written(folder, lines.toSpliced(2, 0, lines[1] ?? ''))).toMatchObject(badAt(3, 3, 'this is record 2'));
    expect(await written(folder, lines.toSpliced(2, 0, ''))).toMatchObject(badAt(3, 3, 'empty'));
    expect(await written(folder, lines.toSpliced(2, 0, '{"seq":3}'))).toMatchObject(
      badAt(3, 3, 'not a journal record'),
    );
    expect(await written(folder, lines.slice(0, -1))).toMatchObject(badAt(6, 6, 'cut off'));
    expect(await written(folder, lines.slice(1))).toMatchObject(badAt(1, 1, 'this is record 2'));
    expect(await written(folder, lines)).toMatchObject({ ok: true });
  });

  it('after a record was replaced by another one with a valid hash', async () => {
    const folder = await writtenJournal(5);
    const other = await writtenJournal(5, { now: tickingClock('2025-01-01T00:00:00.000Z') });
    const lines = await linesOf(folder);
    const foreign = await linesOf(other);
    expect(await written(folder, lines.with(3, foreign[3] ?? ''))).toMatchObject(badAt(4, 4, 'hashes differ'));
  });

  it('after the end was replaced by a longer one with valid hashes', async () => {
    const folder = await temporaryFolder();
    const open = (start: string): Promise<Journal> => Journal.open({ folder, now: tickingClock(start) });
    const common = await open('2026-01-01T00:00:00.000Z');
    await common.append({ type: 'note', n: 1 });
    await common.close();
    const shared = [join(folder, first), join(folder, 'head.json')] as const;
    for (const path of shared) await copyFile(path, `${path}.shared`);
    const honest = await open('2026-01-02T00:00:00.000Z');
    await honest.append({ type: 'note', n: 2 });
    await honest.append({ type: 'note', n: 3 });
    await honest.close();
    const head = await readFile(join(folder, 'head.json'));
    for (const path of shared) await rename(`${path}.shared`, path);
    const forged = await open('2026-01-03T00:00:00.000Z');
    for (let n = 2; n < 9; n += 1) await forged.append({ type: 'note', n });
    await forged.close();
    expect(await verifyJournal(folder)).toMatchObject({ ok: true });
    await writeFile(join(folder, 'head.json'), head);
    expect(await verifyJournal(folder)).toMatchObject(badAt(4, 4, 'not the record that was written here'));
  });

  it('if a segment is missing, empty, duplicated, or lacks its header', async () => {
    const folder = await writtenJournal(12, { segmentBytes: 800 });
    const names = await segmentNames(folder);
    const [one = '', two = '', three = ''] = names;
    const before = (await linesOf(folder, one)).length;
    const missing = {
      ok: false,
      records: before,
      firstBad: { segment: two, line: 0, seq: before + 1, reason: 'the segment is missing' },
    };
    const path = join(folder, two);
    const content = await readFile(path);
    await rm(path);
    expect(await verifyJournal(folder)).toEqual(missing);
    await writeFile(path, '');
    expect(await verifyJournal(folder)).toMatchObject({
      ok: false,
      records: before,
      firstBad: { segment: two, line: 1, reason: 'the segment is empty' },
    });
    await copyFile(join(folder, three), path);
    expect(await verifyJournal(folder)).toMatchObject({
      ok: false,
      records: before,
      firstBad: { segment: two, line: 1 },
    });
    await writeFile(path, content);
    // All records are there, but the header of the second segment is now the last line of the first.
    const header = (await linesOf(folder, two))[0] ?? '';
    await appendFile(join(folder, one), `${header}\n`);
    await writeFile(path, content.subarray(header.length + 1));
    expect(await verifyJournal(folder)).toMatchObject({
      ok: false,
      firstBad: { segment: two, line: 1, seq: before + 2 },
    });
  });

  it('after the last segment or all segments were deleted', async () => {
    const folder = await writtenJournal(12, { segmentBytes: 800 });
    const names = await segmentNames(folder);
    const lost = (await linesOf(folder, names.at(-1))).map((line) => (JSON.parse(line) as JournalRecord).seq);
    await rm(join(folder, names.at(-1) ?? ''));
    expect(await verifyJournal(folder)).toMatchObject({
      ok: false,
      records: (lost[0] ?? 0) - 1,
      firstBad: { segment: names.at(-2), seq: lost[0] },
    });
    for (const name of names.slice(0, -1)) await rm(join(folder, name));
    expect(await verifyJournal(folder)).toMatchObject({ ok: false, records: 0, firstBad: { segment: first, seq: 1 } });
  });

  it('in an empty file, in binary data, and in an invalid head.json', async () => {
    const folder = await writtenJournal(3);
    const content = await readFile(join(folder, first));
    await writeFile(join(folder, first), '');
    expect(await verifyJournal(folder)).toMatchObject(badAt(1, 1, 'cut off'));
    await writeFile(join(folder, first), Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 7919) % 251)));
    expect(await verifyJournal(folder)).toMatchObject(badAt(1, 1, 'not JSON'));
    await writeFile(join(folder, first), content);
    await writeFile(join(folder, 'head.json'), 'garbage');
    expect(await verifyJournal(folder)).toMatchObject({
      ok: false,
      records: 0,
      firstBad: { segment: 'head.json', line: 1 },
    });
  });

  it('in a line of 100 MB, without reading it into memory', async () => {
    const folder = await writtenJournal(3);
    await truncate(join(folder, first), 100 * 1024 * 1024);
    const before = process.memoryUsage().arrayBuffers;
    expect(await verifyJournal(folder)).toMatchObject(badAt(5, 5, 'longer than any record'));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20 * 1024 * 1024);
  });
});

it('verification rejects without a journal, and when it is cancelled', async () => {
  const folder = await writtenJournal(1);
  await expect(verifyJournal(join(folder, 'absent'))).rejects.toMatchObject({ code: 'not-found' });
  await expect(verifyJournal(folder, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
});
