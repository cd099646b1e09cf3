/** The width of text, beside string-width, which is the oracle. */
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { textWidth } from '../../../src/catalogue/output/textWidth.ts';

describe('the width of text', () => {
  it('is that of string-width for each character of the Basic Multilingual Plane', () => {
    const characters = Array.from({ length: 0xd800 }, (_, code) => String.fromCharCode(code));
    const wrong = characters.filter((character) => textWidth(character) !== stringWidth(character));
    expect(wrong).toEqual([]);
  });

  it.each(['', 'alice-container', 'Zoë…', '漢字', 'é', '👩‍👩‍👧', 'a\u200Bb', '\x1B[1mbold\x1B[0m', 'กำ', '©\uFE0F'])(
    'of %j is that of string-width',
    (text) => expect(textWidth(text)).toBe(stringWidth(text)),
  );
});
