import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { Journal } from '../../../../src/journal/journal.ts';
import { endedSince } from '../../../../src/service/shells/ended.ts';

const anyone = {
  reader: { name: 'dave', entryPoint: 'manage' },
  since: '2020-01-01T00:00:00Z',
  now: new Date(),
} as const;
const carol = { name: 'carol', entryPoint: 'manage' } as const;
const actor = { name: 'carol', role: 'admin', entryPoint: 'manage' };

async function journalWith(...entries: Parameters<Journal['append']>[0][]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'containarium-ended-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const journal = await Journal.open({ folder, segmentBytes: 1_000_000, carry: () => null });
  for (const entry of entries) await journal.append(entry);
  await journal.close();
  return folder;
}

it('endedSince returns each call once, with its outcome', async () => {
  const folder = await journalWith(
    { type: 'operation-end', op: '1', verb: 'create', target: 'alice', actor, outcome: 'done', durationMs: 5 },
    { type: 'outcome', call: 'a', verb: 'create', target: 'alice', actor, outcome: 'ok', durationMs: 7 },
    { type: 'operation-end', op: '2', verb: 'stop', target: 'bob', actor, outcome: 'undone', durationMs: 5 },
    {
      type: 'outcome',
      call: 'b',
      verb: 'stop',
      target: 'bob',
      actor,
      outcome: 'failed',
      failure: { code: 'timeout', what: 'bob', why: 'too slow' },
      durationMs: 9,
    },
  );
  expect(await endedSince(folder, anyone, () => true)).toMatchObject([
    { verb: 'create', target: 'alice', actor: 'carol', outcome: 'ok', failure: null, durationMs: 7 },
    { verb: 'stop', target: 'bob', outcome: 'failed', failure: { code: 'timeout', what: 'bob', why: 'too slow' } },
  ]);
});

it('endedSince returns calls that the end of the server cut off, with the outcome from the next server', async () => {
  const folder = await journalWith(
    { type: 'operation-end', op: '1', verb: 'create', target: 'alice', actor, outcome: 'undone', durationMs: 5 },
    { type: 'operation-end', op: '2', verb: 'delete', target: 'bob', actor, outcome: 'finished', durationMs: 5 },
  );
  expect(await endedSince(folder, anyone, () => true)).toMatchObject([
    { verb: 'create', outcome: 'failed', failure: { code: 'partial', why: 'it was interrupted and has been undone' } },
    { verb: 'delete', outcome: 'ok', failure: null },
  ]);
});

it('endedSince returns at most ten calls, none that are older, and none that the filter rejects', async () => {
  const folder = await journalWith(
    ...Array.from({ length: 15 }, (_, i) => ({
      type: 'outcome',
      verb: 'stop',
      target: `user${i}`,
      actor,
      outcome: 'ok',
      durationMs: 1,
    })),
  );
  expect(await endedSince(folder, { ...anyone, since: '2999-01-01T00:00:00Z' }, () => true)).toEqual([]);
  expect((await endedSince(folder, anyone, () => true)).map(({ target }) => target)).toEqual(
    Array.from({ length: 10 }, (_, i) => `user${i + 5}`),
  );
  expect(await endedSince(folder, anyone, ({ target }) => target === 'user3')).toHaveLength(1);
});

it('endedSince tells of the own calls that had not ended and of those of others, not of the own finished ones', async () => {
  const since = new Date(Date.now() - 60_000).toISOString();
  const own = (target: string, durationMs: number): Parameters<Journal['append']>[0] => ({
    type: 'outcome',
    verb: 'stop',
    target,
    actor,
    outcome: 'ok',
    durationMs,
  });
  const folder = await journalWith(
    { type: 'operation-end', op: '1', verb: 'stop', target: 'finished', actor, outcome: 'done', durationMs: 5 },
    own('finished', 7),
    { type: 'operation-end', op: '3', verb: 'image build', target: 'part', actor, outcome: 'done', durationMs: 5 },
    own('unfinished', 3_600_000),
    { ...own('cut-off', 7), unanswered: true },
    { ...own('others', 7), actor: { name: 'dave', role: 'admin', entryPoint: 'manage' } },
    { ...own('of-an-owner', 7), actor: { name: 'carol', role: 'owner', entryPoint: 'self' } },
    { type: 'operation-end', op: '2', verb: 'create', target: 'interrupted', actor, outcome: 'undone', durationMs: 5 },
  );
  const told = await endedSince(folder, { reader: carol, since, now: new Date() }, () => true);
  expect(told.map(({ target }) => target)).toEqual(['unfinished', 'cut-off', 'others', 'of-an-owner', 'interrupted']);
  const first = await endedSince(folder, { reader: carol, since: null, now: new Date() }, () => true);
  expect(first.map(({ target }) => target)).toEqual(['cut-off', 'interrupted']);
});
