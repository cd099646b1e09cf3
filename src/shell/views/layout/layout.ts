/** The layout of the live list: columns, rows and scrolling. */
import stringWidth from 'string-width';
import type { FeedContainer } from '../../../domain/events/notice.ts';
import { cellText, columnNames, columnOf, type ColumnName } from '../model/columns.ts';

export interface Placed {
  readonly name: ColumnName;
  readonly width: number;
  readonly bar: boolean;
}

/** Cells before the first column: selection sign and mark. */
const gutter = 2;
/** Cells between two columns. */
export const gap = 2;
export const barCells = 8;
/** Sign and blank before a status. The column has room for `restart 2/5…`, which replaces the status during a call. */
const signCells = 2;
const statusCells = signCells + 12;
const minNameWidth = 8;

/** Column widths: the widest cell seen so far. They only grow while a view is open, so that columns do not jump. */
export class Widths {
  readonly #widest = new Map<ColumnName, number>(columnNames.map((name) => [name, columnOf(name).title.length + 2]));

  #placed: { readonly width: number; readonly columns: readonly Placed[] } | undefined;

  see(containers: readonly FeedContainer[], now: Date): void {
    for (const name of columnNames) {
      for (const container of containers) {
        const width = stringWidth(cellText(name, container, now));
        if (width <= this.of(name)) continue;
        this.#widest.set(name, width);
        this.#placed = undefined;
      }
    }
  }

  of(name: ColumnName): number {
    return name === 'status' ? statusCells : (this.#widest.get(name) ?? 0);
  }

  /** Returns the columns for a window of this width: the same object until they change. */
  placed(width: number): readonly Placed[] {
    if (this.#placed?.width !== width) this.#placed = { width, columns: place(this, width) };
    return this.#placed.columns;
  }
}

/**
 * Returns the columns that fit into `width` cells, in order. The least important columns and bars are dropped first.
 */
export function place(widths: Pick<Widths, 'of'>, width: number): Placed[] {
  const wanted = columnNames.flatMap((name) => {
    const { priority, barPriority } = columnOf(name);
    const each = [{ name, cells: widths.of(name) + gap, priority, bar: false }];
    return barPriority === undefined
      ? each
      : [...each, { name, cells: barCells + 1, priority: barPriority, bar: true }];
  });
  let left = width - gutter + gap;
  const taken = new Map<ColumnName, { width: number; bar: boolean }>();
  for (const { name, cells, bar, priority } of wanted.sort((a, b) => a.priority - b.priority)) {
    const before = taken.get(name);
    if (bar) {
      if (before === undefined || cells > left) continue;
      taken.set(name, { ...before, bar: true });
      left -= cells;
    } else if (priority === 1) {
      // The name is always shown and leaves room for the status.
      const maxWidth = Math.max(minNameWidth, left - gap - (statusCells + gap));
      const fitting = Math.min(cells - gap, maxWidth);
      taken.set(name, { width: fitting, bar: false });
      left -= fitting + gap;
    } else if (cells <= left) {
      taken.set(name, { width: cells - gap, bar: false });
      left -= cells;
    } else if (name === 'labels' && left >= 12 + gap) {
      // Labels may be long; part of them is better than none.
      taken.set(name, { width: left - gap, bar: false });
      left = 0;
    } else if (name !== 'labels') {
      // A less important column must not take the place of this one.
      break;
    }
  }
  return columnNames.flatMap((name) => {
    const placed = taken.get(name);
    return placed === undefined ? [] : [{ name, ...placed }];
  });
}

/** Returns the first visible row after scrolling as little as possible to show the selected row. */
export function scrolled(top: number, selected: number, count: number, room: number): number {
  const maxTop = Math.max(0, count - room);
  return Math.max(0, Math.min(maxTop, Math.max(selected - room + 1, Math.min(top, selected))));
}

/** Returns the rows of the footer: message and keys, or a dialog. The list keeps at least a few rows. */
export function footerRows(rows: number, wanted: number | undefined): number {
  return wanted === undefined ? 2 : Math.max(4, Math.min(wanted, rows - 5));
}

/** Returns the rows between the two lines at the top and the footer. */
export function bodyRows(rows: number, wanted: number | undefined): number {
  return Math.max(1, rows - 2 - footerRows(rows, wanted));
}
