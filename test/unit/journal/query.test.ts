import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Journal, type JournalRecord } from '../../../src/journal/journal.ts';
import { NewestRecords } from '../../../src/journal/newestRecords.ts';
import { queryJournal, type JournalFilter } from '../../../src/journal/query.ts';
import { collect, linesOf, notesOf, segmentNames, temporaryFolder, writtenJournal } from './support.ts';

const start = Date.parse('2026-01-01T00:00:00.000Z');
const hourMs = 60 * 60 * 1000;

/** Writes a journal in small segments with one record an hour: `n` from 0, with actors and verbs in turn. */
async function hourlyJournal(count: number): Promise<{ folder: string; records: JournalRecord[] }> {
  const folder = await temporaryFolder();
  let hour = -1;
  const journal = await Journal.open({ folder, segmentBytes: 1500, now: () => start + hour * hourMs });
  for (hour = 0; hour < count; hour += 1) {
    const name = ['ada', 'grace'][hour % 2] ?? '';
    await journal.append({
      type: hour % 3 === 0 ? 'operation' : 'note',
      n: hour,
      actor: hour % 5 === 0 ? name : { name, role: 'admin' },
      verb: ['create', 'delete', 'resize'][hour % 3] ?? '',
      target: `user${hour % 4}`,
    });
  }
  await journal.close();
  const records: JournalRecord[] = [];
  for (const name of await segmentNames(folder)) {
    records.push(...(await linesOf(folder, name)).map((line) => JSON.parse(line) as JournalRecord));
  }
  return { folder, records };
}

function expected(
  records: readonly JournalRecord[],
  { actor, verb, targets, types, since, until, limit, maxBytes = Infinity }: JournalFilter,
): JournalRecord[] {
  const matching = records.filter((record) => {
    const recorded = record['actor'] as string | { name: string } | undefined;
    return (
      (actor === undefined || (typeof recorded === 'string' ? recorded : recorded?.name) === actor) &&
      (verb === undefined || record['verb'] === verb) &&
      (targets === undefined || targets.includes(record['target'] as string)) &&
      (types === undefined || types.includes(record.type)) &&
      (since === undefined || new Date(record.time) >= since) &&
      (until === undefined || new Date(record.time) <= until)
    );
  });
  if (limit === undefined) return matching;
  const newest: JournalRecord[] = [];
  let bytes = 0;
  for (const record of matching.slice(Math.max(0, matching.length - limit)).reverse()) {
    if (bytes > maxBytes) break;
    newest.unshift(record);
    bytes += Buffer.byteLength(JSON.stringify(record));
  }
  return newest;
}

describe('a query', () => {
  it('yields exactly the matching records, oldest first, for every filter', { timeout: 30_000 }, async () => {
    const { folder, records } = await hourlyJournal(90);
    expect((await segmentNames(folder)).length).toBeGreaterThan(10);
    const time = fc.integer({ min: -3, max: 95 }).map((hour) => new Date(start + hour * hourMs));
    const filters = fc.record(
      {
        actor: fc.constantFrom('ada', 'grace', 'nobody'),
        verb: fc.constantFrom('create', 'delete', 'resize', 'none'),
        targets: fc.subarray(['user0', 'user1', 'user9'], { minLength: 1 }),
        types: fc.subarray(['operation', 'note', 'segment']),
        since: time,
        until: time,
        limit: fc.nat({ max: 40 }),
        maxBytes: fc.nat({ max: 8000 }),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(filters, async (filter) => {
        expect(await collect(queryJournal(folder, filter))).toEqual(expected(records, filter));
      }),
      { numRuns: 60 },
    );
  });

  it('keeps no more than twice what its answer may be', () => {
    const newest = new NewestRecords({ records: 100_000, bytes: 10_000 });
    for (let seq = 0; seq < 1000; seq++) {
      const record: JournalRecord = { v: 1, seq, time: '', type: 'note', prev: '', hash: '' };
      newest.add(record, 1000);
      expect(newest.held).toBeLessThanOrEqual(20);
    }
    expect(newest.end().records.map(({ seq }) => seq)).toEqual(Array.from({ length: 11 }, (_, n) => 989 + n));
  });

  it('reads only the newest segments with a limit, and only the segments in question with times', async () => {
    const { folder } = await hourlyJournal(90);
    const names = await segmentNames(folder);
    await writeFile(join(folder, names[0] ?? ''), 'damaged\n');
    expect(notesOf(await collect(queryJournal(folder, { limit: 3, types: ['note'] })))).toEqual([86, 88, 89]);
    const hours = { since: new Date(start + 40 * hourMs), until: new Date(start + 42 * hourMs), types: ['note'] };
    const middle = await collect(queryJournal(folder, hours));
    expect(notesOf(middle)).toEqual([40, 41]);
    const [header] = await linesOf(folder, names.at(-1));
    await writeFile(join(folder, names.at(-1) ?? ''), `${header}\ndamaged\n`);
    expect(await collect(queryJournal(folder, hours))).toEqual(middle);
    await expect(collect(queryJournal(folder))).rejects.toMatchObject({
      code: 'journal-damaged',
      details: { segment: names[0], line: 1 },
    });
  });

  it('finds all records if the clock was set back a little between segments', async () => {
    const folder = await temporaryFolder();
    let minute = 0;
    const journal = await Journal.open({ folder, segmentBytes: 100, now: () => start + minute * 60_000 });
    for (const [n, at] of [60, 120, 75, 90, 180].entries()) {
      minute = at;
      await journal.append({ type: 'note', n });
    }
    await journal.close();
    const between = async (from: number, to: number): Promise<number[]> =>
      notesOf(
        await collect(
          queryJournal(folder, { since: new Date(start + from * 60_000), until: new Date(start + to * 60_000) }),
        ),
      );
    expect(await between(100, 130)).toEqual([1]);
    expect(await between(70, 95)).toEqual([2, 3]);
  });

  it('yields records while it reads, and stops reading when its consumer stops', async () => {
    const { folder } = await hourlyJournal(30);
    const names = await segmentNames(folder);
    await writeFile(join(folder, names.at(-1) ?? ''), 'damaged\n');
    for await (const record of queryJournal(folder)) {
      expect(record.seq).toBe(1);
      break;
    }
  });

  it('sees a beginning of the history without gaps while records are appended', async () => {
    const folder = await temporaryFolder();
    const journal = await Journal.open({ folder, segmentBytes: 3000 });
    onTestFinished(() => journal.close());
    let appending = true;
    const callers = Array.from({ length: 4 }, async () => {
      for (let n = 0; n < 100; n += 1) await journal.append({ type: 'note', n, text: 'x'.repeat(n * 5) });
    });
    const done = Promise.all(callers).then(() => (appending = false));
    while (appending) {
      const acknowledged = journal.head.seq;
      const seen = (await collect(queryJournal(folder))).map(({ seq }) => seq);
      expect(seen).toEqual(Array.from(seen, (_, i) => i + 1));
      expect(seen.length).toBeGreaterThanOrEqual(acknowledged);
      const last = (await collect(queryJournal(folder, { limit: 2 }))).map(({ seq }) => seq);
      expect(last[1]).toBe((last[0] ?? 0) + 1);
    }
    await done;
  });

  it('ignores an unfinished write at the end, but not damage before it', async () => {
    const folder = await writtenJournal(3);
    const path = join(folder, '000001.jsonl');
    await appendFile(path, '{"seq":5');
    expect(notesOf(await collect(queryJournal(folder)))).toEqual([1, 2, 3]);
    const rotated = await writtenJournal(12, { segmentBytes: 800 });
    const text = await readFile(join(rotated, '000001.jsonl'), 'utf8');
    await writeFile(join(rotated, '000001.jsonl'), text.slice(0, -5));
    await expect(collect(queryJournal(rotated))).rejects.toMatchObject({ code: 'journal-damaged' });
    await rm(join(rotated, '000001.jsonl'));
    expect((await collect(queryJournal(rotated, { limit: 1 }))).length).toBe(1);
  });

  it('rejects without a journal, when cancelled, and for an invalid filter', async () => {
    const folder = await writtenJournal(1);
    const refused = (filter: JournalFilter): Promise<unknown> => collect(queryJournal(folder, filter));
    await expect(collect(queryJournal(join(folder, 'absent')))).rejects.toMatchObject({ code: 'not-found' });
    await expect(collect(queryJournal(folder, {}, AbortSignal.abort()))).rejects.toMatchObject({ code: 'cancelled' });
    await expect(refused({ since: new Date('nonsense') })).rejects.toMatchObject({ code: 'invalid-time' });
    await expect(refused({ until: new Date(NaN) })).rejects.toMatchObject({ code: 'invalid-time' });
    for (const limit of [-1, 1.5, NaN])
      await expect(refused({ limit })).rejects.toMatchObject({ code: 'invalid-count' });
  });
});
