/** The visible part of a long line, with characters of every width. */
import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { lineOf } from '../../../src/shell/composer/line.ts';
import { windowOf } from '../../../src/shell/composer/window.ts';

const pieces = ['a', 'Z', ' ', '容', '器', '한', '📦', 'é', 'e\u0301', '…', '\u200d', '\u202e', '\n'];
const text = fc.array(fc.constantFrom(...pieces), { maxLength: 300 }).map((parts) => parts.join(''));
const characters = new Intl.Segmenter('en', { granularity: 'grapheme' });

describe('the window of a line', () => {
  test('contains the cursor and is no wider than allowed', () => {
    fc.assert(
      fc.property(
        text,
        fc.integer({ min: 12, max: 300 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (all, width, where) => {
          const starts = [...characters.segment(all)].map(({ index }) => index);
          const cursor = [...starts, all.length][Math.floor(where * starts.length)] ?? all.length;
          const shown = windowOf({ text: all, cursor }, width);
          expect(stringWidth(shown.text)).toBeLessThan(width);
          expect(shown.column).toBeGreaterThanOrEqual(0);
          expect(shown.column).toBeLessThanOrEqual(stringWidth(shown.text));
          expect(shown.text).not.toMatch(/\p{Cc}|\p{Cf}/u);
        },
      ),
    );
  });

  test('shows the end of the line if the cursor is there', () => {
    for (const last of ['a', '器', '📦']) {
      for (let width = 12; width < 60; width++) {
        const shown = windowOf(lineOf(`${'容a'.repeat(50)}${last}`), width);
        expect(shown.text.startsWith('…')).toBe(true);
        expect(shown.text.endsWith(last)).toBe(true);
        expect(shown.column).toBe(stringWidth(shown.text));
      }
    }
  });

  test('cuts only at its ends', () => {
    const shown = windowOf({ text: 'a容b容c容d容e容f容', cursor: 0 }, 10);
    expect(shown).toEqual({ text: 'a容b容c… ', column: 0 });
  });

  test('measures escaped characters as they are shown', () => {
    expect(windowOf(lineOf('a\u202eb'), 40)).toEqual({ text: 'a\\u{202e}b', column: 10 });
  });
});
