import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { joinChoices, printable, printableLines, quoted, safeJson } from '../../../src/domain/text.ts';
import { anyCharacter } from '../../support/anyCharacter.ts';

/** Inclusive ranges of code points that must never reach a terminal unescaped. */
const unsafeRanges: readonly [string, number, number][] = [
  ['C0 control characters', 0x00, 0x1f],
  ['DEL and C1 control characters', 0x7f, 0x9f],
  ['the soft hyphen', 0xad, 0xad],
  ['the Arabic letter mark', 0x61c, 0x61c],
  ['zero-width characters and directional marks', 0x200b, 0x200f],
  ['line and paragraph separators', 0x2028, 0x2029],
  ['bidirectional embeddings and overrides', 0x202a, 0x202e],
  ['the word joiner and invisible operators', 0x2060, 0x2064],
  ['bidirectional isolates', 0x2066, 0x2069],
  ['deprecated format characters', 0x206a, 0x206f],
  ['the byte order mark', 0xfeff, 0xfeff],
  ['interlinear annotations', 0xfff9, 0xfffb],
  ['the language tag', 0xe0001, 0xe0001],
  ['tag characters', 0xe0020, 0xe007f],
  ['variation selectors', 0xfe00, 0xfe0f],
  ['supplementary variation selectors', 0xe0100, 0xe01ef],
  ['unpaired surrogates', 0xd800, 0xdfff],
  ['private use', 0xe000, 0xf8ff],
  ['Hangul fillers', 0x115f, 0x1160],
];

const ordinary = [
  'alice',
  'Zoë Müller',
  'Straße 5',
  '東京',
  '한국어',
  'العربية',
  'Ελλάδα',
  '😀 👍🏽',
  'a\\b "c" \'d\'',
  '½ × 3 ≤ €5',
];

function characters(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => String.fromCodePoint(from + index));
}

describe('printable', () => {
  it.each(unsafeRanges)('escapes %s', (_, from, to) => {
    for (const character of characters(from, to)) {
      expect(printable(`a${character}b`)).toBe(`a\\u{${character.codePointAt(0)?.toString(16)}}b`);
    }
  });

  it.each(ordinary)('leaves the ordinary text %s unchanged', (text) => {
    expect(printable(text)).toBe(text);
  });

  it('leaves its own result unchanged', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter }), (text) => {
        expect(printable(printable(text))).toBe(printable(text));
      }),
    );
  });

  it('leaves no control or format characters in any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter }), (text) => {
        expect(printable(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u);
      }),
    );
  });
});

describe('printableLines', () => {
  it('keeps line feeds, turns CRLF into a line feed and a tab into two spaces', () => {
    expect(printableLines('a\r\nb\n\tc')).toBe('a\nb\n  c');
  });

  it('escapes everything else, including a lone carriage return', () => {
    expect(printableLines('100%\rhidden\n\u001b[2J')).toBe('100%\\u{d}hidden\n\\u{1b}[2J');
  });
});

describe('quoted', () => {
  it('adds quotation marks and escapes unsafe characters', () => {
    expect(quoted('a\u202eb')).toBe('"a\\u{202e}b"');
  });

  it('cuts long text between characters, never inside one', () => {
    expect(quoted('😀😀😀😀', 4)).toBe('"😀😀😀😀"');
    expect(quoted('😀😀😀😀😀', 4)).toBe('"😀😀😀…"');
  });
});

test.each([
  [['a'], 'a'],
  [['a', 'b'], 'a or b'],
  [['a', 'b', 'c'], 'a, b or c'],
])('joinChoices joins %j as in a sentence, without a comma before "or"', (choices, text) => {
  expect(joinChoices(choices)).toBe(text);
});

describe('safeJson', () => {
  it.each(unsafeRanges)('escapes %s and keeps the value', (_, from, to) => {
    for (const character of characters(from, to)) {
      const value = { [`k${character}`]: `v${character}` };
      const text = safeJson(value);
      expect(text).toMatch(/^[\x20-\x7e]+$/);
      expect(JSON.parse(text)).toEqual(value);
    }
  });

  it('parses back to the original value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: anyCharacter }), fc.constantFrom(undefined, 2), (value, indent) => {
        const text = safeJson(value, indent);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(text).not.toMatch(/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u);
      }),
    );
  });

  it('contains line feeds only between its tokens', () => {
    expect(safeJson({ a: 'x\ny' }, 2)).toBe('{\n  "a": "x\\ny"\n}');
  });

  it('is null for a value that JSON cannot represent', () => {
    expect(safeJson(undefined)).toBe('null');
  });
});
