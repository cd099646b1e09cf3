/** Tables without lines, for terminals and files alike. */
import { textWidth } from './textWidth.ts';

export interface TextColumn {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** The space between two columns. */
const gap = '  ';

/**
 * Returns a table with a line for the titles and one for each row, without a line feed at its end. Cells must be
 * printable: one line each, without control characters. Widths are those on a terminal.
 */
export function columnsText(columns: readonly TextColumn[], rows: readonly (readonly string[])[]): string {
  const lines = [columns.map(({ title }) => title), ...rows].map((cells) =>
    cells.map((text) => ({ text, width: textWidth(text) })),
  );
  const widths = columns.map((_, at) => lines.reduce((widest, cells) => Math.max(widest, cells[at]?.width ?? 0), 0));
  return lines
    .map((cells) =>
      cells
        .map(({ text, width }, at) => {
          const padding = ' '.repeat((widths[at] ?? 0) - width);
          return columns[at]?.align === 'right' ? padding + text : text + padding;
        })
        .join(gap)
        .trimEnd(),
    )
    .join('\n');
}
