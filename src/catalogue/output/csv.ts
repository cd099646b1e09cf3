/** CSV (RFC 4180) with a header. */
import { stringify } from 'csv-stringify/sync';
import { printable } from '../../domain/text.ts';
import type { Rows } from '../declaration/view.ts';

type Cell = Rows['rows'][number][number];

/** Renders rows. An apostrophe precedes text that a spreadsheet would read as a formula. Line ends stay in a cell. */
export function csvText({ columns, rows }: Rows): string {
  return stringify(
    rows.map((row) => row.map((cell) => (typeof cell === 'string' ? cellText(cell) : cell))),
    {
      header: true,
      columns: columns.map((column) => printable(column)),
      cast: { boolean: (value) => String(value) },
      escape_formulas: true,
    },
  );
}

function cellText(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => printable(line))
    .join('\n');
}

/**
 * Returns a result as one row, for verbs that define no rows. A part of a part has the names of both: `storage.pool`. A
 * list is one cell, or one column for each part of its entries: `keyList.0.comment`.
 */
export function oneRow(result: unknown): Rows {
  const cells = [...cellsOf('', result)];
  return { columns: cells.map(([column]) => column), rows: [cells.map(([, cell]) => cell)] };
}

function* cellsOf(path: string, value: unknown): Generator<readonly [string, Cell]> {
  if (isCell(value)) yield [path, value];
  else if (Array.isArray(value) && value.every(isCell))
    yield [path, value.join(value.some((item) => /\s/.test(String(item))) ? '\n' : ' ')];
  else {
    const parts = Object.entries(value as Record<string, unknown>).filter(([, part]) => part !== undefined);
    if (parts.length === 0) yield [path, null];
    // The name of the only part says nothing: `container`.
    const [only] = path === '' && parts.length === 1 ? parts : [];
    if (only !== undefined && !isCell(only[1]) && !Array.isArray(only[1])) yield* cellsOf('', only[1]);
    else for (const [name, part] of parts) yield* cellsOf(path === '' ? name : `${path}.${name}`, part);
  }
}

function isCell(value: unknown): value is Cell {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}
