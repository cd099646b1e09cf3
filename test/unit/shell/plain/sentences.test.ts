/** Items as sentences for a screen reader. */
import { describe, expect, test } from 'vitest';
import { verbNames, verbNamed } from '../../../../src/catalogue/catalogue.ts';
import { overview, verbHelp } from '../../../../src/catalogue/help.ts';
import { endedSentence } from '../../../../src/shell/items/words.ts';
import { rowSentence, sentences, titleInWords, valueInWords } from '../../../../src/shell/plain/sentences.ts';

describe('sentences', () => {
  test.each([
    ['-', 'none'],
    ['Running', 'Running'],
    ['512 MiB / 2 GiB (25%)', '512 MiB of 2 GiB, 25 percent'],
    ['1 KiB / 20 GiB (<1%)', '1 KiB of 20 GiB, less than 1 percent'],
    ['- / 2 GiB', 'unknown of 2 GiB'],
    ['default (btrfs), 1.5 GiB / 20 GiB (8%)', 'default (btrfs), 1.5 GiB of 20 GiB, 8 percent'],
    ['16 MiB (<1%)', '16 MiB (less than 1 percent)'],
    ['12.3% of 4 CPUs', '12.3 percent of 4 CPUs'],
    ['2 → 4', '2 to 4'],
    ['user / laptop', 'user / laptop'],
    ['100%me', '100%me'],
    ['bob\u001b[2Jx', 'bob\\u{1b}[2Jx'],
  ])('put the value "%s" into words', (value, words) => {
    expect(valueInWords(value)).toBe(words);
  });

  test.each([
    ['STATUS', 'status'],
    ['IP', 'IP'],
    ['ADDED BY', 'added by'],
  ])('put the title "%s" into words', (title, words) => expect(titleInWords(title)).toBe(words));
});

describe('a row as a sentence', () => {
  const titles = ['USER', 'STATUS', 'IP', 'DISK'];

  test('names its noun and leaves out empty cells', () => {
    expect(rowSentence(titles, ['bob', 'Stopped', '-', '1 GiB / 20 GiB (5%)'], 'Container of')).toBe(
      'Container of bob: status Stopped, disk 1 GiB of 20 GiB, 5 percent.',
    );
  });

  test('begins with its first title if it has no noun, or if its first cell is no user', () => {
    expect(rowSentence(['USER', 'IP'], ['bob', '10.0.3.2'])).toBe('User bob: IP 10.0.3.2.');
    expect(rowSentence(['IP', 'USER'], ['10.0.3.2', 'bob'], 'Container of')).toBe('IP 10.0.3.2: user bob.');
    expect(rowSentence(['NAME'], ['bob'])).toBe('Name bob.');
    expect(rowSentence([], [])).toBe('');
  });
});

describe('an item as sentences', () => {
  test('has the next step of a failure', () => {
    const failure = { code: 'not-found', what: 'container "x"', why: 'there is none', next: 'list' } as const;
    expect(sentences({ kind: 'failure', failure })).toEqual([
      'Error: container "x": there is none (not-found). Next: list.',
    ]);
  });

  test("has another admin's call or words", () => {
    const call = {
      verb: 'create',
      target: 'bob',
      actor: 'carol',
      endedAt: '',
      outcome: 'ok',
      failure: null,
      durationMs: 2000,
    } as const;
    expect(sentences({ kind: 'ended', call, meanwhile: false })).toEqual(['carol: create bob finished in 2 seconds.']);
    const failed = {
      ...call,
      outcome: 'failed',
      failure: { code: 'timeout', what: 'incus', why: 'no answer' },
    } as const;
    expect(sentences({ kind: 'ended', call: failed, meanwhile: true })).toEqual([
      'While you were away: carol: create bob failed: incus: no answer.',
    ]);
    const undone = { code: 'partial', what: '"create bob"', why: 'it was undone' } as const;
    const ended = (failure: typeof failed.failure | typeof undone | { code: 'cancelled'; what: string; why: string }) =>
      sentences({ kind: 'ended', call: { ...failed, failure }, meanwhile: false });
    expect(ended(undone)).toEqual(['carol: create bob failed: it was undone.']);
    expect(ended({ ...undone, code: 'cancelled' })).toEqual(['carol: create bob cancelled.']);
    expect(endedSentence({ ...failed, failure: undone })).toBe('carol: create bob: failed: it was undone');
    expect(endedSentence({ ...failed, failure: { ...undone, code: 'cancelled' } })).toBe(
      'carol: create bob: cancelled',
    );
    expect(sentences({ kind: 'said', name: 'carol', text: 'a\u001b[31mb' })).toEqual(['carol says: a\\u{1b}[31mb']);
  });

  test('has the text of an empty table', () => {
    expect(
      sentences({ kind: 'blocks', blocks: [{ kind: 'table', columns: [], rows: [], empty: 'No containers' }] }),
    ).toEqual(['No containers.']);
  });

  test('has no sign and no control character, in the help of every verb', () => {
    const actor = { entryPoint: 'manage', role: 'admin' } as const;
    const blocks = [
      ...overview(actor, 'ssh host'),
      ...verbNames.flatMap((name) => verbHelp(verbNamed(name), 'ssh host')),
    ];
    const text = sentences({ kind: 'blocks', blocks }).join('\n');
    expect(text).toMatch(/^delete, rm, remove: Delete a container/m);
    expect(text).not.toMatch(/[✓✗•›→│─█]/);
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });
});
