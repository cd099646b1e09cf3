/** Fits the columns of a table into a width. */
import stringWidth from 'string-width';
import type { Column } from '../../catalogue/declaration/view.ts';

export interface Fitted {
  /** Indexes of the shown columns, in order. */
  readonly shown: readonly number[];
  /** Their widths in cells. */
  readonly widths: readonly number[];
}

/** Cells that a column takes besides its text: two blanks and a border. The table has one more border. */
const paddingCells = 3;

/** Drops the least important columns until the rest fit into `width` cells. Returns nothing if not even two fit. */
export function fit(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): Fitted | undefined {
  const natural = columns.map(({ title }, i) =>
    Math.max(stringWidth(title), ...rows.map((row) => stringWidth(row[i] ?? ''))),
  );
  const byImportance = columns
    .map((column, i) => ({ i, priority: column.priority ?? i + 1 }))
    .sort((a, b) => a.priority - b.priority || a.i - b.i);
  for (let count = columns.length; count >= Math.min(2, columns.length); count--) {
    const shown = byImportance
      .slice(0, count)
      .map(({ i }) => i)
      .sort((a, b) => a - b);
    const widths = shown.map((i) => natural[i] ?? 0);
    if (widths.reduce((sum, each) => sum + each + paddingCells, 1) <= width) return { shown, widths };
  }
  return undefined;
}

/** Breaks text into lines of at most `width` cells, between words where it can. */
export function wordWrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (stringWidth(longer) <= width || line === '') line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

/** Pads text to `width` cells. */
export function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const room = ' '.repeat(Math.max(0, width - stringWidth(text)));
  return align === 'right' ? room + text : text + room;
}
