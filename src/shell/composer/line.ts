/** A line of text with a cursor, and the editing commands of readline(3). Every function returns a new line. */
import { lazily } from '../../domain/lazily.ts';

export interface Line {
  readonly text: string;
  /** Index into `text`, always between two grapheme clusters. */
  readonly cursor: number;
}

export const emptyLine: Line = { text: '', cursor: 0 };

/**
 * The longest line, in UTF-16 units; the rest is dropped. A handful of RSA keys fits. Each drawing measures the whole
 * line, so its length bounds how long one key of one user delays all others.
 */
export const maxLineLength = 4096;

const characters = lazily(() => new Intl.Segmenter('en', { granularity: 'grapheme' }));

/** The kinds of a UTF-16 unit, as bits: of a word (a letter, a digit, a mark on one), and anything but a blank. */
const wordBit = 1;
const inkBit = 2;
const knownBit = 4;

/** The kinds of the units met so far, because a packet may have many keys, and each may move over the whole line. */
const kinds = new Uint8Array(0x10000);

function kindOf(unit: number): number {
  const known = kinds[unit] ?? 0;
  if (known !== 0) return known;
  const character = String.fromCharCode(unit);
  const word = /[\p{L}\p{N}\p{M}]/u.test(character) ? wordBit : 0;
  const ink = /\s/.test(character) ? 0 : inkBit;
  return (kinds[unit] = knownBit | word | ink);
}

export function lineOf(text: string): Line {
  return { text, cursor: text.length };
}

/** Inserts text at the cursor, as far as the line stays within `maxLength` UTF-16 units. */
export function insert(line: Line, added: string, maxLength = maxLineLength): Line {
  const { text, cursor } = line;
  const room = Math.max(0, maxLength - text.length);
  const piece = added.slice(0, room);
  return { text: text.slice(0, cursor) + piece + text.slice(cursor), cursor: cursor + piece.length };
}

const isAscii = (unit: number): boolean => unit >= 0x20 && unit < 0x7f;

/** Replaces what is between `from` and the cursor. A blank at its end is not doubled. */
export function replaced({ text, cursor }: Line, from: number, by: string): Line {
  const rest = text.slice(cursor);
  const piece = by.endsWith(' ') && rest.startsWith(' ') ? by.slice(0, -1) : by;
  return { text: text.slice(0, from) + piece + rest, cursor: from + piece.length };
}

/** Returns where the character before `at` begins. */
function before(text: string, at: number): number {
  if (at <= 1) return 0;
  if (isAscii(text.charCodeAt(at - 1)) && isAscii(text.charCodeAt(at - 2))) return at - 1;
  let last = 0;
  // No character is longer than 64 units. Segmenting the whole line would be slow for long lines.
  const from = Math.max(0, at - 64);
  for (const { index } of characters().segment(text.slice(from, at))) last = from + index;
  return last;
}

/** Returns where the character after `at` ends. */
function after(text: string, at: number): number {
  if (at >= text.length - 1) return text.length;
  if (isAscii(text.charCodeAt(at)) && isAscii(text.charCodeAt(at + 1))) return at + 1;
  const [first] = characters().segment(text.slice(at, at + 64));
  return at + (first?.segment.length ?? 1);
}

export function left(line: Line): Line {
  return { ...line, cursor: before(line.text, line.cursor) };
}

export function right(line: Line): Line {
  return { ...line, cursor: after(line.text, line.cursor) };
}

export function home(line: Line): Line {
  return { ...line, cursor: 0 };
}

export function end(line: Line): Line {
  return { ...line, cursor: line.text.length };
}

function wordStart(text: string, at: number, bit: number): number {
  let i = at;
  while (i > 0 && (kindOf(text.charCodeAt(i - 1)) & bit) === 0) i--;
  while (i > 0 && (kindOf(text.charCodeAt(i - 1)) & bit) !== 0) i--;
  return i;
}

function wordEnd(text: string, at: number): number {
  let i = at;
  while (i < text.length && (kindOf(text.charCodeAt(i)) & wordBit) === 0) i++;
  while (i < text.length && (kindOf(text.charCodeAt(i)) & wordBit) !== 0) i++;
  return i;
}

export function wordLeft(line: Line): Line {
  return { ...line, cursor: wordStart(line.text, line.cursor, wordBit) };
}

export function wordRight(line: Line): Line {
  return { ...line, cursor: wordEnd(line.text, line.cursor) };
}

/** A line and the text cut from it, which Ctrl-Y inserts again. */
export interface Cut {
  readonly line: Line;
  readonly killed: string;
}

function cut({ text }: Line, from: number, to: number): Cut {
  return { line: { text: text.slice(0, from) + text.slice(to), cursor: from }, killed: text.slice(from, to) };
}

export function backspace(line: Line): Line {
  return cut(line, before(line.text, line.cursor), line.cursor).line;
}

export function deleteForward(line: Line): Line {
  return cut(line, line.cursor, after(line.text, line.cursor)).line;
}

export function killToEnd(line: Line): Cut {
  return cut(line, line.cursor, line.text.length);
}

export function killToStart(line: Line): Cut {
  return cut(line, 0, line.cursor);
}

/** Ctrl-W: cuts back to a blank, as unix-word-rubout does. */
export function killBlankWord(line: Line): Cut {
  return cut(line, wordStart(line.text, line.cursor, inkBit), line.cursor);
}

/** Alt-Backspace: cuts back over letters and digits. */
export function killWordBack(line: Line): Cut {
  return cut(line, wordStart(line.text, line.cursor, wordBit), line.cursor);
}

export function killWordForward(line: Line): Cut {
  return cut(line, line.cursor, wordEnd(line.text, line.cursor));
}

/** Ctrl-T: swaps the characters around the cursor. */
export function transpose(line: Line): Line {
  const { text } = line;
  const at = line.cursor >= text.length ? before(text, text.length) : line.cursor;
  const from = before(text, at);
  if (from === at) return line;
  const to = after(text, at);
  return { text: text.slice(0, from) + text.slice(at, to) + text.slice(from, at) + text.slice(to), cursor: to };
}
