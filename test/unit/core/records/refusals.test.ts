/**
 * The limits for a flood of rejected logins, from the front's counts through the protocol to the journal and the log.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bytesBelow } from '../../../support/files.ts';
import { AuthLog } from '../../../../src/core/records/authLog.ts';
import { LoginEvents } from '../../../../src/core/records/loginEvents.ts';
import { RefusalRecords } from '../../../../src/core/records/refusalRecords.ts';
import { maxCountedSources, type RefusalReason, type RefusalReport } from '../../../../src/domain/access/refusal.ts';
import { Refusals } from '../../../../src/admission/refusals.ts';
import { Journal } from '../../../../src/journal/journal.ts';
import { refusalReport } from '../../../../src/protocol/messages.ts';
import { queryJournal } from '../../../../src/journal/query.ts';

type Entry = { readonly type: string } & Record<string, unknown>;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'containarium-refusals-'));
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(folder, { recursive: true, force: true });
});

/** The log's lines as objects. */
function captured(): { lines: { event: string; msg: string; count?: number }[]; log: pino.Logger } {
  const lines: { event: string; msg: string; count?: number }[] = [];
  return { lines, log: pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line) as never) }) };
}

describe('100,000 rejected logins', () => {
  it('in an hour, half of them within seconds, add less than 1 MB to the journal, and every one is counted', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    const journal = await Journal.open({ folder: join(folder, 'journal'), now: () => Date.now() });
    const before = await bytesBelow(journal.folder);
    const { log, lines } = captured();
    const events = new LoginEvents({ append: (entry) => journal.append(entry), log, now: () => Date.now() });
    let messages = 0;
    let largest = 0;
    const front = new Refusals({
      send: (report) => {
        messages++;
        // Encoded and checked as on the wire.
        const wire = JSON.stringify(report);
        largest = Math.max(largest, wire.length);
        events.refusals(refusalReport.parse(JSON.parse(wire)));
      },
    });
    const total = 100_000;
    for (let i = 0; i < total; i++) {
      front.add({
        source: `10.${i % 7}.${(i >> 8) & 255}.${i & 255}`,
        port: i % 65_536,
        reason: (['key', 'signature', 'method'] as const)[i % 3] ?? 'key',
        entryPoint: i % 2 === 0 ? 'manage' : 'other',
      });
      // Half of them in a few seconds, the other half over an hour.
      if (i % 1000 === 0) await vi.advanceTimersByTimeAsync(i < total / 2 ? 50 : 72_000);
    }
    front.flush();
    await events.settled();
    vi.useRealTimers();
    await journal.close();
    expect(messages).toBeLessThan(1000);
    expect(largest).toBeLessThan(100_000);

    const added = (await bytesBelow(journal.folder)) - before;
    expect(added).toBeGreaterThan(1000);
    expect(added).toBeLessThan(1_000_000);
    let counted = 0;
    for await (const record of queryJournal(journal.folder, { types: ['refusals'] })) {
      counted += Number(record['count']);
      expect((record['top'] as unknown[]).length).toBeLessThanOrEqual(10);
      expect(JSON.stringify(record).length).toBeLessThan(2000);
    }
    expect(counted).toBe(total);
    // The log has its own limit, and says how many lines it left out.
    const written = lines.filter(({ event }) => event === 'auth-failure').length;
    expect(written).toBeGreaterThan(100);
    const leftOut = lines
      .filter(({ event }) => event === 'auth-failures-left-out')
      .reduce((sum, { count }) => sum + (count ?? 0), 0);
    expect(leftOut).toBeGreaterThan(0);
    expect(written + leftOut).toBeLessThanOrEqual(total);
  }, 60_000);
});

describe("the front's count of rejected logins", () => {
  it('names a limited number of sources and counts the others', () => {
    const reports: RefusalReport[] = [];
    const refusals = new Refusals({ send: (report) => void reports.push(report) });
    for (let i = 0; i < 1000; i++) refusals.add({ source: `10.0.${i >> 8}.${i & 255}`, port: i, reason: 'key' });
    for (let i = 0; i < 30; i++) refusals.add({ source: '10.0.0.0', port: i, reason: 'key' });
    refusals.flush();
    expect(reports).toHaveLength(1);
    expect(reports[0]?.counted).toHaveLength(maxCountedSources);
    expect(reports[0]?.counted[0]).toMatchObject({ source: '10.0.0.0', count: 31, ports: { length: 10 } });
    expect(reports[0]?.others).toEqual({ key: 1000 - maxCountedSources });
    refusals.flush();
    expect(reports).toHaveLength(1);
    expect(refusalReport.safeParse(reports[0]).success).toBe(true);
  });

  it('is reported within two seconds', async () => {
    vi.useFakeTimers();
    const send = vi.fn();
    new Refusals({ send }).add({ source: '::1', port: 1, reason: 'key' });
    await vi.advanceTimersByTimeAsync(2000);
    expect(send).toHaveBeenCalledOnce();
  });
});

describe('a compromised front', () => {
  const counted = { source: '203.0.113.9', reason: 'key', entryPoint: 'manage', count: 1, ports: [4711] };

  it.each<[what: string, report: unknown]>([
    ['text in place of an address', { counted: [{ ...counted, source: '1.2.3.4 port 1 (manage): x' }], others: {} }],
    ['an address with a line feed', { counted: [{ ...counted, source: '1.2.3.4\n' }], others: {} }],
    ['an address with a zone', { counted: [{ ...counted, source: 'fe80::1%"}' }], others: {} }],
    ['an unknown reason', { counted: [{ ...counted, reason: 'because' }], others: {} }],
    ['an unknown reason for the other sources', { counted: [], others: { because: 1 } }],
    ['an unknown login name', { counted: [{ ...counted, entryPoint: 'root' }], others: {} }],
    ['a negative count', { counted: [{ ...counted, count: -1 }], others: {} }],
    ['too many sources', { counted: Array.from({ length: maxCountedSources + 1 }, () => counted), others: {} }],
    ['too many ports', { counted: [{ ...counted, ports: Array.from({ length: 11 }, () => 1) }], others: {} }],
    ['an invalid port', { counted: [{ ...counted, ports: [70_000] }], others: {} }],
    ['an additional field', { counted: [{ ...counted, text: 'x' }], others: {} }],
  ])('cannot report %s', (_, report) => {
    expect(refusalReport.safeParse({ counted: [counted], others: { key: 3 } }).success).toBe(true);
    expect(refusalReport.safeParse(report).success).toBe(false);
  });

  it('causes one journal record a minute, however often it reports', async () => {
    vi.useFakeTimers();
    const entries: Entry[] = [];
    const records = new RefusalRecords({
      append: (entry) => Promise.resolve(void entries.push(entry)),
      now: () => Date.now(),
    });
    for (let second = 0; second < 600; second++) {
      for (let i = 0; i < 20; i++) {
        const sources = Array.from({ length: 100 }, (_, n) => ({
          source: `10.${second % 256}.${i}.${n}`,
          reason: 'key' as const,
          count: 1_000_000_000,
          ports: [],
        }));
        records.report({ counted: sources, others: { banned: 1_000_000_000 } });
      }
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(entries.length).toBeLessThanOrEqual(11);
    expect(entries.length).toBeGreaterThanOrEqual(10);
    for (const entry of entries) {
      expect(JSON.stringify(entry).length).toBeLessThan(2000);
      expect(Number.isSafeInteger(entry['count'])).toBe(true);
      expect(entry['sources']).toBeLessThanOrEqual(4096);
    }
  });

  it('causes a limited number of log lines', () => {
    const { log, lines } = captured();
    let nowMs = 0;
    const authLog = new AuthLog(log, () => nowMs);
    const report = {
      counted: Array.from({ length: 200 }, (_, i) => ({
        source: `10.0.0.${i}`,
        reason: 'key' as const,
        count: 50,
        ports: [1, 2, 3],
      })),
      others: {},
    };
    for (let i = 0; i < 100; i++) authLog.report(report);
    expect(lines).toHaveLength(500);
    nowMs = 10_000;
    authLog.report(report);
    expect(lines[500]).toMatchObject({ event: 'auth-failures-left-out' });
    expect(lines).toHaveLength(500 + 1 + 500);
  });

  it('cannot lower a count by more ports than logins, nor make a number that is not a safe integer', async () => {
    const { log, lines } = captured();
    let nowMs = 0;
    const authLog = new AuthLog(log, () => nowMs);
    const one = { source: '203.0.113.9', reason: 'key' as const };
    authLog.report({
      counted: [
        { ...one, count: 3, ports: [1] },
        { ...one, count: 1, ports: [1, 2, 3, 4, 5] },
      ],
      others: {},
    });
    nowMs = 10_000;
    authLog.report({ counted: [{ ...one, count: 1, ports: [1] }], others: {} });
    expect(lines.find(({ event }) => event === 'auth-failures-left-out')).toMatchObject({ count: 2 });

    const entries: Entry[] = [];
    const records = new RefusalRecords({
      append: (entry) => Promise.resolve(void entries.push(entry)),
      now: () => nowMs,
    });
    for (let i = 0; i < 3; i++)
      records.report({
        counted: [{ ...one, count: Number.MAX_SAFE_INTEGER, ports: [] }],
        others: { key: Number.MAX_SAFE_INTEGER },
      });
    await records.flush();
    expect(entries).toMatchObject([
      {
        count: Number.MAX_SAFE_INTEGER,
        unlisted: Number.MAX_SAFE_INTEGER,
        reasons: { key: Number.MAX_SAFE_INTEGER },
        top: [{ count: Number.MAX_SAFE_INTEGER }],
      },
    ]);
  });
});

describe('a record of rejected logins', () => {
  const report = (source: string, reason: RefusalReason, count = 1): RefusalReport => ({
    counted: [{ source, reason, count, ports: [1] }],
    others: {},
  });

  it('is written at once after a quiet minute, and then once a minute', async () => {
    vi.useFakeTimers({ now: 1_000_000 });
    const entries: Entry[] = [];
    const records = new RefusalRecords({
      append: (entry) => Promise.resolve(void entries.push(entry)),
      now: () => Date.now(),
    });
    records.report(report('203.0.113.9', 'key'));
    await vi.advanceTimersByTimeAsync(10);
    expect(entries).toMatchObject([
      { type: 'refusals', count: 1, sources: 1, reasons: { key: 1 }, top: [{ address: '203.0.113.9', count: 1 }] },
    ]);
    records.report(report('203.0.113.9', 'key', 3));
    records.report(report('2001:db8::7', 'signature', 5));
    await vi.advanceTimersByTimeAsync(59_000);
    expect(entries).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1000);
    expect(entries[1]).toMatchObject({
      count: 8,
      sources: 2,
      reasons: { key: 3, signature: 5 },
      top: [
        { address: '2001:db8::7', count: 5 },
        { address: '203.0.113.9', count: 3 },
      ],
    });
  });

  it('is not made for clients that only connect', async () => {
    vi.useFakeTimers();
    const append = vi.fn(() => Promise.resolve());
    const records = new RefusalRecords({ append, now: () => Date.now() });
    records.report(report('203.0.113.9', 'silent'));
    await vi.advanceTimersByTimeAsync(120_000);
    expect(append).not.toHaveBeenCalled();
  });
});
