/** The glyphs of a line that is echoed: what a terminal writes into one place, and how wide that is. */
import { textWidth } from '../../catalogue/output/textWidth.ts';
import { cellOf, charactersOf, type Cell } from '../composer/cells.ts';
import type { Line } from '../composer/line.ts';

export interface Glyph extends Cell {
  /** The character. An escaped one has several glyphs: the first one has it, the others have the empty string. */
  readonly text: string;
}

/** Returns the glyphs of `text`. */
export function glyphsOf(text: string): Glyph[] {
  return charactersOf(text).flatMap((character) => {
    const cell = cellOf(character);
    if (cell.shown === character) return [{ text: character, ...cell }];
    return charactersOf(cell.shown).map((shown, i) => ({
      text: i === 0 ? character : '',
      shown,
      width: textWidth(shown),
    }));
  });
}

export interface GlyphLine {
  readonly text: string;
  readonly glyphs: readonly Glyph[];
  /** Index of the glyph at the cursor. */
  readonly cursor: number;
}

export const noGlyphs: GlyphLine = { text: '', glyphs: [], cursor: 0 };

/** Returns the glyphs of a line after an edit. Only what differs from `before`, and its neighbours, is measured. */
export function editedGlyphs(before: GlyphLine, { text, cursor }: Line): GlyphLine {
  return withCursor(text, before.text === text ? before.glyphs : spliced(before, text), cursor);
}

function spliced(before: GlyphLine, text: string): readonly Glyph[] {
  const same = commonLengths(before.text, text);
  // A character may join the one before it and the one after it.
  const first = characterAt(before.glyphs, same.prefix - 1);
  const end = characterAt(before.glyphs, before.text.length - same.suffix);
  const next = before.glyphs[end.index];
  const last = { index: end.index + 1, offset: end.offset + (next?.text.length ?? 0) };
  while (before.glyphs[last.index]?.text === '') last.index++;
  const added = text.slice(first.offset, text.length - (before.text.length - last.offset));
  return [...before.glyphs.slice(0, first.index), ...glyphsOf(added), ...before.glyphs.slice(last.index)];
}

function commonLengths(a: string, b: string): { readonly prefix: number; readonly suffix: number } {
  const most = Math.min(a.length, b.length);
  let prefix = 0;
  while (prefix < most && a.charCodeAt(prefix) === b.charCodeAt(prefix)) prefix++;
  let suffix = 0;
  while (suffix < most - prefix && a.charCodeAt(a.length - 1 - suffix) === b.charCodeAt(b.length - 1 - suffix))
    suffix++;
  return { prefix, suffix };
}

interface Place {
  /** Index of the first glyph of a character. */
  index: number;
  /** Where that character begins in the text. */
  offset: number;
}

/** Returns the character that contains `offset`, or the end. */
function characterAt(glyphs: readonly Glyph[], offset: number): Place {
  let at = 0;
  let start: Place = { index: 0, offset: 0 };
  for (const [index, { text }] of glyphs.entries()) {
    if (text === '') continue;
    start = { index, offset: at };
    at += text.length;
    if (at > offset) return start;
  }
  return { index: glyphs.length, offset: at };
}

/** Finds the cursor's glyph. A word may end inside a character, which then is two. */
function withCursor(text: string, glyphs: readonly Glyph[], cursor: number): GlyphLine {
  const { index, offset } = characterAt(glyphs, cursor);
  const character = glyphs[index]?.text ?? '';
  if (offset === cursor || character === '') return { text, glyphs, cursor: index };
  const before = glyphsOf(character.slice(0, cursor - offset));
  let next = index + 1;
  while (glyphs[next]?.text === '') next++;
  const after = [...glyphsOf(character.slice(cursor - offset)), ...glyphs.slice(next)];
  return { text, glyphs: [...glyphs.slice(0, index), ...before, ...after], cursor: index + before.length };
}
