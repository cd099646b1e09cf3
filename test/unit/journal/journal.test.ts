import { setImmediate } from 'node:timers/promises';
import { readFile, rm, stat, appendFile, writeFile, link } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { genesis } from '../../../src/journal/chain.ts';
import { Journal, type JournalRecord } from '../../../src/journal/journal.ts';
import { verifyJournal } from '../../../src/journal/history/verify.ts';
import {
  collect,
  linesOf,
  notesOf,
  segmentNames,
  temporaryFolder,
  tickingClock,
  TroubledFiles,
  writtenJournal,
} from './support.ts';

describe('a new journal', () => {
  it('begins with a segment record, in a folder and files that only their owner can read', async () => {
    const folder = join(await temporaryFolder(), 'state', 'journal');
    const journal = await Journal.open({ folder, now: tickingClock() });
    await journal.close();
    const [line] = await linesOf(folder);
    expect(JSON.parse(line ?? '')).toMatchObject({
      seq: 1,
      time: '2026-01-01T00:00:01.000Z',
      prev: genesis.hash,
      type: 'segment',
      segment: 1,
      carry: null,
    });
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, '000001.jsonl'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'head.json'))).mode & 0o777).toBe(0o600);
    expect(journal.repaired).toBeUndefined();
  });

  it('does not call carry', async () => {
    const carry = (): never => {
      throw new Error('too early');
    };
    const journal = await Journal.open({ folder: await temporaryFolder(), carry });
    await journal.close();
    expect(journal.head.seq).toBe(1);
  });
});

describe('append', () => {
  it('returns the number and hash of the record, which is then in the file', async () => {
    const folder = await temporaryFolder();
    const journal = await Journal.open({ folder });
    const receipt = await journal.append({ type: 'note', text: 'a\u001b[31m\u202eb' });
    const record = JSON.parse((await linesOf(folder)).at(-1) ?? '') as JournalRecord;
    expect(record).toMatchObject({ ...receipt, type: 'note', text: 'a\u001b[31m\u202eb' });
    expect(journal.head).toEqual(receipt);
    expect(await readFile(join(folder, '000001.jsonl'), 'utf8')).not.toMatch(/[\u001b\u202e]/);
    await journal.close();
  });

  it('keeps the order of calls, and shares one write among concurrent calls', async () => {
    const folder = await temporaryFolder();
    const files = new TroubledFiles();
    const journal = await Journal.open({ folder, files });
    const before = files.calls.datasync;
    const receipts = await Promise.all(Array.from({ length: 500 }, (_, n) => journal.append({ type: 'note', n })));
    expect(receipts.map(({ seq }) => seq)).toEqual(Array.from({ length: 500 }, (_, n) => n + 2));
    expect(files.calls.datasync - before).toBeLessThanOrEqual(2);
    expect(notesOf(await collect(journal.currentSegment()))).toEqual(Array.from({ length: 500 }, (_, n) => n));
    await journal.close();
    expect(await verifyJournal(folder)).toMatchObject({ ok: true, records: 501 });
  });

  it('never writes more at once than the longest line', async () => {
    const folder = await temporaryFolder();
    const files = new TroubledFiles();
    const journal = await Journal.open({ folder, files });
    const before = files.calls.datasync;
    const text = 'x'.repeat(400 * 1024);
    await Promise.all(Array.from({ length: 6 }, () => journal.append({ type: 'note', text })));
    expect(files.calls.datasync - before).toBe(3);
    await journal.close();
    expect(await verifyJournal(folder)).toMatchObject({ ok: true, records: 7 });
  });

  it('syncs before it resolves', async () => {
    const files = new TroubledFiles();
    const journal = await Journal.open({ folder: await temporaryFolder(), files });
    const steps: string[] = [];
    files.before = (operation) => steps.push(operation);
    await journal.append({ type: 'note' });
    steps.push('answered');
    expect(steps).toEqual(['write', 'datasync', 'answered']);
    await journal.close();
  });

  it('refuses reserved fields and types and a record that is too long, and works afterwards', async () => {
    const journal = await Journal.open({ folder: await temporaryFolder() });
    await expect(journal.append({ type: 'note', prev: 'x' })).rejects.toMatchObject({ code: 'internal' });
    await expect(journal.append({ type: 'segment', carry: [] })).rejects.toMatchObject({ code: 'internal' });
    await expect(journal.append({ type: 'repair' })).rejects.toMatchObject({ code: 'internal' });
    await expect(journal.append({ type: 'note', text: 'x'.repeat(2 ** 20) })).rejects.toMatchObject({
      code: 'input-too-large',
    });
    expect(await journal.append({ type: 'note' })).toMatchObject({ seq: 2 });
    await journal.close();
  });

  it('records the entry as it was at the call, even if the caller changes it afterwards', async () => {
    const journal = await Journal.open({ folder: await temporaryFolder() });
    const entry = { type: 'note', n: 1 };
    const appended = journal.append(entry);
    entry.n = 2;
    await appended;
    expect(notesOf(await collect(journal.currentSegment()))).toEqual([1]);
    await journal.close();
  });

  it('is refused after close, which finishes running appends', async () => {
    const folder = await temporaryFolder();
    const journal = await Journal.open({ folder });
    const running = [journal.append({ type: 'note', n: 1 }), journal.append({ type: 'note', n: 2 })];
    const closed = journal.close();
    await expect(journal.append({ type: 'note', n: 3 })).rejects.toMatchObject({ code: 'shutting-down' });
    await closed;
    await journal.close();
    expect((await Promise.all(running)).map(({ seq }) => seq)).toEqual([2, 3]);
    expect(await verifyJournal(folder)).toMatchObject({ ok: true, records: 3 });
  });
});

describe('opening an existing journal', () => {
  it('continues where the journal ended', async () => {
    const folder = await writtenJournal(3);
    const journal = await Journal.open({ folder });
    expect(journal.head.seq).toBe(4);
    expect(await journal.append({ type: 'note', n: 4 })).toMatchObject({ seq: 5 });
    expect(notesOf(await collect(journal.currentSegment()))).toEqual([1, 2, 3, 4]);
    await journal.close();
    expect(await verifyJournal(folder)).toMatchObject({ ok: true, records: 5, endKnown: true });
  });

  it('is refused while the journal is open, and possible after it is closed', async () => {
    const folder = await temporaryFolder();
    const journal = await Journal.open({ folder });
    await expect(Journal.open({ folder })).rejects.toMatchObject({
      code: 'journal-unwritable',
      why: expect.stringContaining(`process ${process.pid}`),
    });
    await journal.append({ type: 'note' });
    await journal.close();
    await (await Journal.open({ folder })).close();
  });

  it('ignores the lock of a process that has ended', async () => {
    const folder = await writtenJournal(1);
    for (const stale of [
      '',
      'garbage',
      '{"pid":1,"started":"-1","boot":"another"}',
      `{"pid":${process.pid},"started":"1","boot":""}`,
    ]) {
      await writeFile(join(folder, 'writer.lock'), stale);
      await (await Journal.open({ folder })).close();
    }
    expect(await verifyJournal(folder)).toMatchObject({ ok: true, records: 2 });
  });
});

describe('rotation', () => {
  it('begins a new segment when the current one has reached its size, and continues the chain', async () => {
    const folder = await writtenJournal(40, { segmentBytes: 1000 });
    const names = await segmentNames(folder);
    expect(names.length).toBeGreaterThan(5);
    for (const [i, name] of names.entries()) {
      const records = (await linesOf(folder, name)).map((line) => JSON.parse(line) as JournalRecord);
      expect(records.map(({ type }) => type === 'segment')).toEqual(records.map((_, at) => at === 0));
      expect(records[0]).toMatchObject({ segment: i + 1 });
      expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
    }
    expect(await verifyJournal(folder)).toMatchObject({ ok: true, records: 40 + names.length, segments: names.length });
  });

  it('carries over the effect of every record whose append has resolved, even under load', async () => {
    const folder = await temporaryFolder();
    const acknowledged = new Set<number>();
    const journal = await Journal.open({ folder, segmentBytes: 2000, carry: () => [...acknowledged] });
    const owner = async (n: number): Promise<void> => {
      await journal.append({ type: 'note', n });
      acknowledged.add(n);
    };
    for (let round = 0; round < 30; round += 1) {
      const waiting = Array.from({ length: 10 }, (_, i) => owner(round * 10 + i));
      if (round % 3 === 0) await Promise.all(waiting);
      else await setImmediate();
    }
    await journal.append({ type: 'note', n: -1 });
    await journal.close();
    const before: number[] = [];
    const names = await segmentNames(folder);
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) {
      const records = (await linesOf(folder, name)).map((line) => JSON.parse(line) as JournalRecord);
      if (name !== '000001.jsonl') expect(records[0]?.['carry']).toEqual(before);
      before.push(...notesOf(records));
    }
  });

  it('is postponed while the carried state is too long for a record', async () => {
    const folder = await temporaryFolder();
    let carry = 'x'.repeat(2 ** 20);
    const journal = await Journal.open({ folder, segmentBytes: 100, carry: () => carry });
    await journal.append({ type: 'note', n: 1 });
    expect(await segmentNames(folder)).toEqual(['000001.jsonl']);
    carry = 'short';
    await journal.append({ type: 'note', n: 2 });
    expect(await collect(journal.currentSegment())).toMatchObject([{ type: 'segment', carry: 'short' }, { n: 2 }]);
    await journal.close();
    expect(await verifyJournal(folder)).toMatchObject({ ok: true, segments: 2 });
  });

  it('leaves only the last segment to be read on opening', async () => {
    const folder = await writtenJournal(40, { segmentBytes: 1000 });
    await writeFile(join(folder, '000001.jsonl'), 'not read');
    const journal = await Journal.open({ folder });
    expect((await collect(journal.currentSegment()))[0]).toMatchObject({ type: 'segment', seq: expect.any(Number) });
    await journal.close();
  });
});

describe('another program', () => {
  it('that appends to the segment stops the journal, and its text is not overwritten', async () => {
    const folder = await temporaryFolder();
    const journal = await Journal.open({ folder });
    await appendFile(join(folder, '000001.jsonl'), 'foreign\n');
    await expect(journal.append({ type: 'note' })).rejects.toMatchObject({ code: 'journal-damaged' });
    await expect(journal.append({ type: 'note' })).rejects.toMatchObject({ code: 'journal-damaged' });
    expect((await linesOf(folder)).at(-1)).toBe('foreign');
    await journal.close();
  });

  it('that deletes the segment stops the journal', async () => {
    const folder = await temporaryFolder();
    const journal = await Journal.open({ folder });
    await journal.append({ type: 'note' });
    await rm(join(folder, '000001.jsonl'));
    await expect(journal.append({ type: 'note' })).rejects.toMatchObject({
      code: 'journal-damaged',
      why: expect.stringContaining('deleted'),
    });
    await journal.close();
  });

  it('that makes a hard link to the segment does not disturb the journal', async () => {
    const folder = await temporaryFolder();
    const journal = await Journal.open({ folder });
    await link(join(folder, '000001.jsonl'), join(folder, 'copy'));
    expect(await journal.append({ type: 'note' })).toMatchObject({ seq: 2 });
    await journal.close();
  });
});
