/** The part of a line that is shown: one row, with the cursor in it. */
import stringWidth from 'string-width';
import { printable } from '../../domain/text.ts';
import type { Line } from './line.ts';

export interface Window {
  /** Safe to show. */
  readonly text: string;
  /** The cell of the cursor, counted from 0. */
  readonly column: number;
}

interface Cell {
  readonly shown: string;
  readonly width: number;
}

const characters = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** A character as it is shown: what is no text is written out, and takes more cells than it would by itself. */
function cellOf(character: string): Cell {
  const shown = character === '\n' ? ' ' : printable(character);
  return { shown, width: stringWidth(shown) };
}

function widthOf(cells: readonly Cell[]): number {
  return cells.reduce((sum, { width }) => sum + width, 0);
}

/** Says that something is cut off here, in as many cells as the character that stood here. */
function ellipsis({ width }: Cell): Cell {
  return { shown: '…'.padEnd(width, ' '), width };
}

/** At most `width - 1` cells of the line, because the cursor may stand behind them; where something is cut off, an ellipsis says so. */
export function windowOf({ text, cursor }: Line, width: number): Window {
  const cells: Cell[] = [];
  let before = 0;
  for (const { segment, index } of characters.segment(text)) {
    cells.push(cellOf(segment));
    if (index < cursor) before = cells.length;
  }
  const whole = widthOf(cells);
  const column = widthOf(cells.slice(0, before));
  const room = Math.max(0, width - 1);
  if (whole <= room) return { text: cells.map(({ shown }) => shown).join(''), column };
  // The cursor stands in the last third, so that what was typed last is seen and what comes has room.
  const from = Math.max(0, Math.min(column - Math.floor((width * 2) / 3), whole - room));
  let first = 0;
  let skipped = 0;
  while (skipped < from) skipped += cells[first++]?.width ?? 1;
  let last = first;
  let taken = 0;
  for (let cell = cells[last]; cell !== undefined && taken + cell.width <= room; cell = cells[last]) {
    taken += cell.width;
    last++;
  }
  const shown = cells.slice(first, last);
  const [begin, end] = [shown[0], shown.at(-1)];
  if (first > 0 && begin !== undefined) shown[0] = ellipsis(begin);
  if (last < cells.length && end !== undefined) shown[shown.length - 1] = ellipsis(end);
  return { text: shown.map((cell) => cell.shown).join(''), column: column - skipped };
}
