/** Any number of unsupported requests makes one record a minute, of limited size. */
import { afterEach, expect, it, vi } from 'vitest';
import { UnsupportedRecords } from '../../../../src/core/records/unsupportedRecords.ts';
import {
  unsupportedRequestNames,
  type UnsupportedRequestCounts,
} from '../../../../src/domain/access/unsupportedRequest.ts';
import { unsupportedRequestReport } from '../../../../src/protocol/messages.ts';

afterEach(() => {
  vi.useRealTimers();
});

it('any number of unsupported requests by any number of people makes one record a minute', async () => {
  vi.useFakeTimers();
  const entries: Record<string, unknown>[] = [];
  const records = new UnsupportedRecords({
    append: (entry) => Promise.resolve(void entries.push(entry)),
    now: () => Date.now(),
  });
  const all = Object.fromEntries(
    unsupportedRequestNames.map((name) => [name, 1_000_000_000]),
  ) as UnsupportedRequestCounts;
  for (let second = 0; second < 120; second++) {
    for (let i = 0; i < 100; i++)
      records.report(
        {
          name: `a${'n'.repeat(30)}${second % 60}`,
          role: 'admin',
          entryPoint: 'manage',
          address: `2001:db8:aaaa:bbbb:cccc:dddd:${second}:${i}`,
        },
        all,
      );
    await vi.advanceTimersByTimeAsync(1000);
  }
  await records.flush();
  expect(entries.length).toBeLessThanOrEqual(3);
  for (const entry of entries) {
    expect(JSON.stringify(entry).length).toBeLessThan(2500);
    expect(Number.isSafeInteger(entry['count'])).toBe(true);
    expect(entry['people']).toBeLessThanOrEqual(4096);
  }
});

it('a record of unsupported requests says who sent which kind, and how often', async () => {
  const entries: Record<string, unknown>[] = [];
  const records = new UnsupportedRecords({
    append: (entry) => Promise.resolve(void entries.push(entry)),
    now: () => 0,
  });
  records.report(
    { name: 'carol', role: 'admin', entryPoint: 'manage', address: '203.0.113.9', login: 'one' },
    { 'tcp-local': 2 },
  );
  records.report(
    { name: 'carol', role: 'admin', entryPoint: 'manage', address: '203.0.113.9', login: 'two' },
    { agent: 1 },
  );
  records.report({ name: 'alice', role: 'owner', entryPoint: 'self' }, { 'tcp-local': 1 });
  await records.flush();
  expect(entries).toEqual([
    {
      type: 'unsupported-requests',
      since: '1970-01-01T00:00:00.000Z',
      count: 4,
      asked: { 'tcp-local': 3, agent: 1 },
      people: 2,
      top: [
        { name: 'carol', entryPoint: 'manage', address: '203.0.113.9', count: 3 },
        { name: 'alice', entryPoint: 'self', count: 1 },
      ],
    },
  ]);
});

it('a report of unsupported requests may contain only known kinds and positive numbers', () => {
  expect(unsupportedRequestReport.safeParse({ login: 'x', counts: { agent: 1 } }).success).toBe(true);
  for (const counts of [{ 'root shell': 1 }, { agent: 0 }, { agent: 1.5 }, { agent: 'x' }, { agent: 2_000_000_000 }])
    expect(unsupportedRequestReport.safeParse({ login: 'x', counts }).success).toBe(false);
});
