/** The part of a line that is shown: one row, with the cursor in it. */
import { cellOf, charactersOf, type Cell } from './cells.ts';
import type { Line } from './line.ts';

export interface Window {
  /** Safe to show. */
  readonly text: string;
  /** The cell of the cursor, counted from 0. */
  readonly column: number;
}

function widthOf(cells: readonly Cell[]): number {
  return cells.reduce((sum, { width }) => sum + width, 0);
}

/** Says that something is cut off here, in as many cells as the character that stood here. */
function ellipsis({ width }: Cell): Cell {
  return { shown: '…'.padEnd(width, ' '), width };
}

/**
 * At most `width - 1` cells of the line, because the cursor may stand behind them; where something is cut off, an
 * ellipsis says so.
 */
export function windowOf({ text, cursor }: Line, width: number): Window {
  const room = Math.max(0, width - 1);
  // A line is drawn at each key, and may be long: only what is near the cursor is measured.
  const left = side(charactersOf(text.slice(0, cursor)).reverse(), width);
  const right = side(charactersOf(text.slice(cursor)), width);
  const cells = [...left.cells.toReversed(), ...right.cells];
  const whole = widthOf(cells);
  const column = widthOf(left.cells);
  if (left.whole && right.whole && whole <= room) return { text: cells.map(({ shown }) => shown).join(''), column };
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
  if ((first > 0 || !left.whole) && begin !== undefined) shown[0] = ellipsis(begin);
  if ((last < cells.length || !right.whole) && end !== undefined) shown[shown.length - 1] = ellipsis(end);
  return { text: shown.map((cell) => cell.shown).join(''), column: column - skipped };
}

/** What a character without a width of its own counts for, in cells: there may be thousands in a row. */
const minWidth = 0.25;

interface Side {
  readonly cells: readonly Cell[];
  /** Whether the line has no more on this side. */
  readonly whole: boolean;
}

/**
 * The first characters of a side of the cursor, as far as a window of `width` cells can show them wherever the cursor
 * stands in it.
 */
function side(characters: Iterable<string>, width: number): Side {
  const cells: Cell[] = [];
  let room = width;
  for (const character of characters) {
    if (room <= 0) return { cells, whole: false };
    const cell = cellOf(character);
    cells.push(cell);
    room -= Math.max(minWidth, cell.width);
  }
  return { cells, whole: true };
}
