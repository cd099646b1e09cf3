/** `audit` on a small journal. */
import { describe, expect, it } from 'vitest';
import { verbNamed } from '../../../src/catalogue/catalogue.ts';
import { withKnownVerb } from '../../../src/core/calls/knownVerb.ts';
import type { JsonObject } from '../../../src/domain/json.ts';
import { Journal } from '../../../src/journal/journal.ts';
import { audit, exportAudit } from '../../../src/service/audit.ts';
import type { ServiceContext } from '../../../src/service/context.ts';
import { callBy } from '../../support/world/hosts.ts';
import { temporaryFolder } from '../journal/support.ts';

it.each([
  ['alice', ['alice']],
  ['alice-container', ['alice']],
  ['web-container', ['web', 'web-container']],
  ['bob-container', []],
])(
  'audit --target %s finds the records of a user, by the name of the container too, and of an admin',
  async (name, found) => {
    const journalFolder = await temporaryFolder();
    const journal = await Journal.open({ folder: journalFolder });
    for (const target of ['alice', 'web', 'web-container']) await journal.append({ type: 'verb', target });
    await journal.close();
    const context = { journalFolder, now: () => new Date() } as unknown as ServiceContext;
    const { records } = await audit(context, { target: name }, callBy());
    expect(records.map(({ target }) => target)).toEqual(found);
  },
);

it.each([
  ['no SPACE', [2]],
  ['bob', [1, 2]],
  ['nothing of this', []],
])('audit --text %j finds the records that have it anywhere, in upper or lower case', async (text, found) => {
  const journalFolder = await temporaryFolder();
  const journal = await Journal.open({ folder: journalFolder });
  await journal.append({ type: 'verb', n: 0, target: 'alice' });
  await journal.append({ type: 'verb', n: 1, target: 'Bob' });
  await journal.append({ type: 'outcome', n: 2, target: 'bob', failure: { why: 'No space is left' } });
  await journal.close();
  const context = { journalFolder, now: () => new Date() } as unknown as ServiceContext;
  const { records } = await audit(context, { text }, callBy());
  expect(records.map(({ n }) => n)).toEqual(found);
});

it('audit --text does not search the hashes of records', async () => {
  const journalFolder = await temporaryFolder();
  const journal = await Journal.open({ folder: journalFolder });
  const { hash } = await journal.append({ type: 'verb' });
  await journal.append({ type: 'verb' });
  await journal.close();
  const context = { journalFolder, now: () => new Date() } as unknown as ServiceContext;
  expect((await audit(context, { text: hash.slice(0, 8) }, callBy())).records).toEqual([]);
});

it('an export of records that are larger than one message may be has the newest, and says that there are more', async () => {
  const journalFolder = await temporaryFolder();
  const journal = await Journal.open({ folder: journalFolder });
  const note = 'x'.repeat(60_000);
  for (let n = 0; n < 300; n++) await journal.append({ type: 'verb', n, note });
  await journal.close();
  const context = { journalFolder, now: () => new Date() } as unknown as ServiceContext;
  const notes: string[] = [];
  const call = callBy();
  const { records, more } = await exportAudit(
    context,
    {},
    {
      ...call,
      progress: { ...call.progress, note: (text) => notes.push(text) },
    },
  );
  expect(more).toBe(true);
  expect(records.at(-1)).toMatchObject({ n: 299 });
  expect(notes).toEqual([expect.stringMatching(/^Older records were left out\. The next part: --until \S+$/)]);
  expect(notes[0]?.split(' ').at(-1)).toBe(records[0]?.['time']);
  const bytes = Buffer.byteLength(JSON.stringify(records));
  expect(bytes).toBeGreaterThan(16 * 1024 ** 2 - 70_000);
  expect(bytes).toBeLessThan(16 * 1024 ** 2 + 1000);
  expect(await exportAudit(context, { limit: 3 }, callBy())).toMatchObject({ more: true, records: { length: 3 } });
});

describe('audit', () => {
  async function journalOf(...entries: readonly ({ type: string } & JsonObject)[]): Promise<ServiceContext> {
    const journalFolder = await temporaryFolder();
    const journal = await Journal.open({ folder: journalFolder });
    for (const entry of entries) await journal.append(entry);
    await journal.close();
    return { journalFolder, now: () => new Date('2026-11-30T12:00:00Z') } as unknown as ServiceContext;
  }

  it('leaves out the steps of operations, unless they are asked for', async () => {
    const types = ['verb', 'operation', 'step', 'step-done', 'step-undone', 'undo-failed', 'operation-end', 'outcome'];
    const context = await journalOf(...types.map((type) => ({ type })));
    const shown = async (request: object): Promise<unknown[]> =>
      (await audit(context, request, callBy())).records.map(({ type }) => type).filter((type) => type !== 'segment');
    expect(await shown({})).toEqual(['verb', 'operation', 'undo-failed', 'operation-end', 'outcome']);
    expect(await shown({ steps: true })).toEqual(types);
  });

  it.each([
    ['1d', '2d', 'after its end'],
    ['2027-01-01', undefined, 'in the future'],
    ['2027-01-01', '2028-01-01', 'in the future'],
  ])('refuses the empty time range from %s until %s', async (since, until, why) => {
    const context = await journalOf({ type: 'verb' });
    await expect(audit(context, { since, until }, callBy())).rejects.toMatchObject({
      code: 'invalid-time',
      why: expect.stringContaining(why) as string,
    });
  });

  it('refuses a verb that does not exist, and takes aliases and plans', () => {
    expect(() => withKnownVerb({ verb: 'craete' })).toThrow(
      expect.objectContaining({ code: 'usage', next: 'did you mean "create"?' }) as Error,
    );
    expect(withKnownVerb({ verb: 'rm' })).toEqual({ verb: 'delete' });
    expect(withKnownVerb({ verb: 'rm --plan' })).toEqual({ verb: 'delete --plan' });
    expect(withKnownVerb({})).toEqual({});
  });
});

describe('the table of audit', () => {
  const record = {
    seq: 1,
    time: '2026-11-30T12:00:00.123Z',
    type: 'verb',
    verb: 'resize',
    target: 'alice',
    actor: { name: 'carol' },
    input: { user: 'alice', disk: 53687091200, labels: ['a b'], image: 'images:debian/13' },
  };
  const rowsOf = (terminal: boolean): readonly (readonly string[])[] => {
    const [table] = verbNamed('audit').view({ records: [record], more: false } as never, { now: new Date(), terminal });
    return table?.kind === 'table' ? table.rows : [];
  };

  it('shows the input of a call as words, without its target', () => {
    expect(rowsOf(false)[0]?.at(-1)).toBe('disk=53687091200 labels=["a b"] image=images:debian/13');
  });

  it('shows times for people where there is no terminal', () => {
    expect(rowsOf(false)[0]?.[1]).toMatch(/^2026-\d\d-\d\d \d\d:\d\d:00 \S+$/);
  });

  it('keeps the detail before type and number in a narrow window', () => {
    const [table] = verbNamed('audit').view({ records: [record], more: false } as never, {
      now: new Date(),
      terminal: true,
    });
    const columns = table?.kind === 'table' ? table.columns : [];
    const order = [...columns].sort((a, b) => (a.priority ?? 0) - (b.priority ?? 0)).map(({ title }) => title);
    expect(order).toEqual(['TIME', 'ACTOR', 'VERB', 'TARGET', 'DETAIL', 'OUTCOME', 'TYPE', 'SEQ']);
  });
});
