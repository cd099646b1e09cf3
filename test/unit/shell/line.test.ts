import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as edit from '../../../src/shell/composer/line.ts';
import { emptyLine, lineOf, maxLineLength, type Line } from '../../../src/shell/composer/line.ts';

const at = (text: string): Line => {
  const cursor = text.indexOf('|');
  return { text: text.replace('|', ''), cursor };
};
const show = ({ text, cursor }: Line): string => `${text.slice(0, cursor)}|${text.slice(cursor)}`;

describe('moving the cursor', () => {
  it.each([
    ['left', edit.left, 'ab|c', 'a|bc'],
    ['left at the beginning', edit.left, '|abc', '|abc'],
    ['left over an emoji of several code points', edit.left, 'a👨‍👩‍👧|b', 'a|👨‍👩‍👧b'],
    ['right', edit.right, 'a|bc', 'ab|c'],
    ['right over a flag', edit.right, '|🇩🇪x', '🇩🇪|x'],
    ['right over a letter with a mark', edit.right, '|e\u0301x', 'e\u0301|x'],
    ['home', edit.home, 'abc|', '|abc'],
    ['end', edit.end, '|abc', 'abc|'],
    ['a word left', edit.wordLeft, 'one two-three|', 'one two-|three'],
    ['a word left over blanks', edit.wordLeft, 'one   |', '|one   '],
    ['a word right', edit.wordRight, 'one| two three', 'one two| three'],
  ])('%s', (_, move, before, after) => {
    expect(show(move(at(before)))).toBe(after);
  });
});

describe('editing a line', () => {
  it.each([
    ['backspace', edit.backspace, 'ab|c', 'a|c'],
    ['backspace over a wide character', edit.backspace, '日本|', '日|'],
    ['delete', edit.deleteForward, 'a|bc', 'a|c'],
    ['delete at the end', edit.deleteForward, 'abc|', 'abc|'],
    ['transpose in the middle', edit.transpose, 'ab|cd', 'acb|d'],
    ['transpose at the end', edit.transpose, 'abcd|', 'abdc|'],
    ['transpose at the beginning', edit.transpose, '|abc', '|abc'],
  ])('%s', (_, change, before, after) => {
    expect(show(change(at(before)))).toBe(after);
  });

  it.each([
    ['to the end', edit.killToEnd, 'ab|cd', 'ab|', 'cd'],
    ['to the beginning', edit.killToStart, 'ab|cd', '|cd', 'ab'],
    ['a word back to a blank', edit.killBlankWord, 'one two-three|', 'one |', 'two-three'],
    ['a word back', edit.killWordBack, 'one two-three|', 'one two-|', 'three'],
    ['a word forward', edit.killWordForward, 'one| two', 'one|', ' two'],
  ])('cuts %s', (_, kill, before, after, killed) => {
    const cut = kill(at(before));
    expect(show(cut.line)).toBe(after);
    expect(cut.killed).toBe(killed);
  });

  it('inserts at the cursor, up to the longest line', () => {
    expect(show(edit.insert(at('a|d'), 'bc'))).toBe('abc|d');
    const full = edit.insert(lineOf('x'.repeat(maxLineLength - 1)), 'abc');
    expect(full.text).toHaveLength(maxLineLength);
  });
});

it('any sequence of edits leaves the cursor inside the line, between characters', () => {
  const operations = [
    edit.left,
    edit.right,
    edit.home,
    edit.end,
    edit.wordLeft,
    edit.wordRight,
    edit.backspace,
    edit.deleteForward,
    edit.transpose,
  ] as const;
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(fc.integer({ min: 0, max: operations.length - 1 }), fc.string({ unit: 'grapheme', maxLength: 5 })),
      ),
      (steps) => {
        let line = emptyLine;
        for (const step of steps)
          line = typeof step === 'number' ? (operations[step]?.(line) ?? line) : edit.insert(line, step);
        expect(line.cursor).toBeGreaterThanOrEqual(0);
        expect(line.cursor).toBeLessThanOrEqual(line.text.length);
        // Not inside a surrogate pair.
        const before = line.text.charCodeAt(line.cursor - 1);
        expect(before >= 0xd800 && before < 0xdc00).toBe(false);
      },
    ),
  );
});
