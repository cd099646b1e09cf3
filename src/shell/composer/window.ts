/** The visible part of a line: one row that contains the cursor. */
import { cellOf, charactersOf, type Cell } from './cells.ts';
import type { Line } from './line.ts';

export interface Window {
  /** Escaped, so safe to show. */
  readonly text: string;
  /** The cursor's cell, counted from 0. */
  readonly column: number;
}

function widthOf(cells: readonly Cell[]): number {
  return cells.reduce((sum, { width }) => sum + width, 0);
}

/** Returns an ellipsis as wide as the cell it replaces. */
function ellipsis({ width }: Cell): Cell {
  return { shown: '…'.padEnd(width, ' '), width };
}

/**
 * Returns at most `width - 1` cells of the line; the last cell stays free for a cursor at the end. An ellipsis marks
 * each cut.
 */
export function windowOf({ text, cursor }: Line, width: number): Window {
  const room = Math.max(0, width - 1);
  // The line is drawn on each key and may be long, so only the characters near the cursor are measured.
  const left = side(charactersOf(text.slice(0, cursor)).reverse(), width);
  const right = side(charactersOf(text.slice(cursor)), width);
  const cells = [...left.cells.toReversed(), ...right.cells];
  const whole = widthOf(cells);
  const column = widthOf(left.cells);
  if (left.whole && right.whole && whole <= room) return { text: cells.map(({ shown }) => shown).join(''), column };
  // The cursor stands in the last third: the newest text is visible and there is room for more.
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

/** The least width that a character counts as, in cells: there may be thousands of zero-width ones in a row. */
const minWidth = 0.25;

interface Side {
  readonly cells: readonly Cell[];
  /** Whether `cells` reach the end of the line on this side. */
  readonly whole: boolean;
}

/** Returns as many characters of one side of the cursor as a window of `width` cells could show. */
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
