/** Lines that were pasted: they stay lines, are shown, and run only after Enter. */
import { Failure } from '../../domain/failure.ts';
import { plural } from '../../domain/text.ts';
import { maxPasteBytes } from '../terminal/pastes.ts';
import { maxLineLength, type Line } from './line.ts';

/** How many pasted lines wait for Enter. Each runs as a command, so they cost more than their bytes. */
const maxPastedLines = 500;

export interface Pasted {
  /** The lines before the one that is edited. */
  readonly lines: readonly string[];
  readonly line: Line;
}

/** The refusal of a paste that is longer than a shell keeps. */
export const pasteTooLong = new Failure('input-too-large', {
  what: 'the paste',
  why: `it is longer than ${maxPasteBytes / 1024} KiB; nothing of it was kept`,
  next: 'paste it in parts, or send long input on standard input, without a terminal',
});

const tooManyLines = new Failure('input-too-large', {
  what: 'the paste',
  why: `more than ${maxPastedLines} pasted lines would wait for Enter; nothing of it was kept`,
  next: `paste at most ${maxPastedLines} lines at once, and press Enter after each part`,
});

const privateKeyPasted = new Failure('private-key', {
  what: 'the paste',
  why: 'it contains a private key; nothing of it was kept',
  next: 'use the public key instead: the line in the .pub file',
});

/**
 * Inserts a paste. Text of one line goes into the edited line; of several lines, the last one is edited. Returns a
 * Failure if they are more or longer than a shell keeps, or one of them is longer than a line may be.
 */
export function insertPaste({ lines, line }: Pasted, paste: string): Pasted | Failure {
  const clean = paste
    .replace(/\r\n?/g, '\n')
    .replace(/\t+/g, ' ')
    .replace(/[^\P{Cc}\n]/gu, '');
  const isOneLine = lines.length === 0 && !/\S *\n\s*\S/.test(clean);
  if (!isOneLine && /-----BEGIN [A-Z ]*PRIVATE KEY/.test(clean)) return privateKeyPasted;
  const text = isOneLine ? withoutEnds(clean, line.text === '') : clean;
  const [first = '', ...others] = text.split('\n');
  const all = [line.text.slice(0, line.cursor) + first, ...others];
  const last = all.pop() ?? '';
  const after = line.text.slice(line.cursor);
  const kept = [...lines, ...all.map((each) => each.trimEnd()).filter((each) => each !== '')];
  const long = [...kept, last + after].find((each) => each.length > maxLineLength);
  if (long !== undefined) return lineTooLong(kept.length + 1);
  if (kept.length > maxPastedLines) return tooManyLines;
  if (kept.reduce((sum, { length }) => sum + length + 1, 0) > maxPasteBytes) return pasteTooLong;
  return { lines: kept, line: { text: last + after, cursor: last.length } };
}

/** Joins what is one line with line breaks around it. */
function withoutEnds(text: string, isFirst: boolean): string {
  const joined = text.replace(/\n+/g, ' ').replace(/(?<! ) +$/, '');
  return isFirst ? joined.trimStart() : joined;
}

function lineTooLong(count: number): Failure {
  return new Failure('input-too-large', {
    what: 'the paste',
    why: `${count === 1 ? 'the line would be' : 'a line of it is'} longer than ${maxLineLength} characters; nothing of it was kept`,
    next: 'send long input on standard input, without a terminal',
  });
}

/** Says what waits for Enter. */
export function pastedStatus(count: number): string {
  return `${plural(count, 'pasted line')} above: Enter runs all in order, Ctrl-C drops them`;
}
