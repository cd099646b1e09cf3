/** The records of connections through the host: their limits, and that none is written twice. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  ConnectionRecords,
  earlierRecords,
  noEarlierRecords,
  type EarlierRecords,
} from '../../../../src/core/records/connectionRecords.ts';
import type { JumpConnection } from '../../../../src/domain/results/connections.ts';
import { readConnection } from '../../../../src/journal/connectionRecord.ts';
import { Journal } from '../../../../src/journal/journal.ts';
import { queryJournal } from '../../../../src/journal/query.ts';
import { bytesBelow } from '../../../support/files.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'containarium-connections-'));
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(folder, { recursive: true, force: true });
});

const startMs = Date.parse('2026-11-23T12:00:00.000Z');
const never = new AbortController().signal;

function connection(id: number, user = 'alice', atMs = startMs): JumpConnection {
  return {
    id: `id${id}`,
    user,
    container: `${user}-container`,
    address: '192.0.2.7',
    port: 5,
    method: 'publickey',
    keyType: 'ED25519',
    fingerprint: 'SHA256:x',
    startedAt: new Date(atMs).toISOString(),
    endedAt: null,
    durationMs: null,
    state: 'open',
  };
}

const ended = (before: JumpConnection, state: 'ended' | 'cut'): JumpConnection => ({
  ...before,
  endedAt: new Date(startMs + 1000).toISOString(),
  durationMs: 1000,
  state,
});

function inMemory(earlier: EarlierRecords = noEarlierRecords) {
  const entries: Record<string, unknown>[] = [];
  const append = (entry: Record<string, unknown>): Promise<void> => Promise.resolve(void entries.push(entry));
  return { entries, records: new ConnectionRecords({ append, now: () => startMs, earlier }) };
}

describe('the records of a connection', () => {
  it('tell what is known of it, and at its end everything again', async () => {
    const { entries, records } = inMemory();
    expect(await records.started(connection(1), startMs)).toBe(true);
    await records.ended(ended(connection(1), 'ended'));
    await records.ended(ended(connection(2), 'cut'));
    expect(entries).toMatchObject([
      { type: 'connection', target: 'alice', actor: { name: 'alice', address: '192.0.2.7' } },
      { type: 'connection-end', durationMs: 1000 },
      { type: 'connection-end', cut: true },
    ]);
    expect(entries.map((entry) => readConnection(entry as never))).toEqual([
      { ...connection(1), state: 'unknown' },
      ended(connection(1), 'ended'),
      ended(connection(2), 'cut'),
    ]);
  });

  it('are 20 in a minute for one user, and 200 for all', async () => {
    const { entries, records } = inMemory();
    const alone: boolean[] = [];
    for (let i = 0; i < 25; i++) alone.push(await records.started(connection(i), startMs));
    expect(alone.filter(Boolean)).toHaveLength(20);
    for (let i = 0; i < 250; i++) await records.started(connection(100 + i, `user${i}`), startMs + 1000);
    expect(entries).toHaveLength(200);
    expect(await records.started(connection(999), startMs + 60_000)).toBe(true);
    await records.flush();
    expect(entries.at(-1)).toMatchObject({
      type: 'connections',
      count: 75,
      through: new Date(startMs + 1000).toISOString(),
      top: expect.arrayContaining([{ user: 'alice', count: 5 }]) as unknown,
    });
    records.discard();
  });

  it('are not written again, nor are those summed up that the journal has', async () => {
    const journal = await Journal.open({ folder: join(folder, 'journal') });
    const first = new ConnectionRecords({
      append: (entry) => journal.append(entry),
      now: () => startMs,
      earlier: noEarlierRecords,
    });
    const all = Array.from({ length: 25 }, (_, i) => ({ it: connection(i), atMs: startMs + i }));
    for (const { it: one, atMs } of all) await first.started(one, atMs);
    await first.ended(ended(connection(0), 'ended'));
    for (let i = 0; i < 3; i++) first.failed({ user: null, address: '192.0.2.9' }, startMs + i);
    await first.flush();
    const { seq } = journal.head;

    const earlier = await earlierRecords(journal.folder, new Date(0), never);
    const again = new ConnectionRecords({
      append: (entry) => journal.append(entry),
      now: () => startMs,
      earlier,
    });
    const recorded: boolean[] = [];
    for (const { it: one, atMs } of all) recorded.push(await again.started(one, atMs));
    await again.ended(ended(connection(0), 'ended'));
    for (let i = 0; i < 3; i++) again.failed({ user: null, address: '192.0.2.9' }, startMs + i);
    await again.flush();
    expect(journal.head.seq).toBe(seq);
    expect(recorded.filter(Boolean)).toHaveLength(20);

    again.failed({ user: null, address: '192.0.2.9' }, startMs + 100);
    await again.flush();
    expect(journal.head.seq).toBe(seq + 1);
    await journal.close();
  });

  it('that are discarded are not written', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    const { entries, records } = inMemory();
    records.failed({ user: null, address: '192.0.2.9' }, startMs);
    records.discard();
    await vi.advanceTimersByTimeAsync(120_000);
    await records.flush();
    expect(entries).toEqual([]);
  });
});

it('200,000 failed logins and connections in a quarter of an hour add less than 4 MB to the journal, and all are counted', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  const journal = await Journal.open({ folder: join(folder, 'journal'), now: () => Date.now() });
  const before = await bytesBelow(journal.folder);
  const records = new ConnectionRecords({
    append: (entry) => journal.append(entry),
    now: () => Date.now(),
    earlier: noEarlierRecords,
  });
  const total = 100_000;
  for (let i = 0; i < total; i++) {
    records.failed(
      { user: i % 2 === 0 ? null : 'alice', address: `10.${i % 7}.${(i >> 8) & 255}.${i & 255}` },
      Date.now(),
    );
    // All within a quarter of an hour.
    await records.started(connection(i, `user${i % 3}`), Date.now());
    if (i % 1000 === 0) await vi.advanceTimersByTimeAsync(9000);
  }
  await records.flush();
  vi.useRealTimers();
  const added = (await bytesBelow(journal.folder)) - before;
  expect(added).toBeLessThan(4_000_000);
  const counted = { connection: 0, connections: 0, 'ssh-failures': 0 };
  for await (const record of queryJournal(journal.folder, { types: Object.keys(counted) }))
    counted[record.type as keyof typeof counted] += record.type === 'connection' ? 1 : Number(record['count']);
  expect(counted.connection + counted.connections).toBe(total);
  expect(counted['ssh-failures']).toBe(total);
  await journal.close();
});
