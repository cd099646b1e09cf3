/** Draws a table: with borders if it fits, with fewer columns if it does not, and at worst as `title: value` lines. */
import { Box, Text } from 'ink';
import type { ReactElement } from 'react';
import type { Column } from '../../catalogue/declaration/view.ts';
import { printable } from '../../domain/text.ts';
import { fit, pad, type Fitted } from './fit.ts';
import { InkTable } from './inkTable.ts';
import { styles, tones } from './theme.ts';

export interface DataTableProps {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
  readonly width: number;
}

/** ink-table takes milliseconds per row, so longer tables are drawn without borders. */
const maxBorderedRows = 60;

export function DataTable({ columns, rows: raw, width }: DataTableProps): ReactElement {
  const rows = raw.map((row) => row.map((cell) => printable(cell)));
  const fitted = fit(columns, rows, width);
  if (fitted === undefined) return <Stacked columns={columns} rows={rows} />;
  const dropped = columns.filter((_, i) => !fitted.shown.includes(i)).map(({ title }) => title);
  const Rows = rows.length > maxBorderedRows ? Plain : Bordered;
  return (
    <Box flexDirection="column">
      <Rows columns={columns} rows={rows} fitted={fitted} />
      {dropped.length === 0 ? undefined : (
        <Text
          {...tones.quiet}
        >{`No room for ${dropped.join(', ')}; a wider window shows more, and --json everything`}</Text>
      )}
    </Box>
  );
}

interface FittedProps {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
  readonly fitted: Fitted;
}

/** The first of the private-use characters that identify rows in the data given to ink-table. */
const marks = 0xe000;

/**
 * Draws a table with ink-table, which measures cells in UTF-16 units and so misplaces borders beside wide characters.
 * It gets placeholders of the right length, whose first character identifies the row; the cells draw the real text.
 */
function Bordered({ columns, rows, fitted: { shown, widths } }: FittedProps): ReactElement {
  const titles = shown.map((i) => columns[i]?.title ?? '');
  const placeholder = (row: number, width: number): string =>
    String.fromCharCode(marks + row) + ' '.repeat(Math.max(0, width - 1));
  const data = rows.map((_, row) =>
    Object.fromEntries(titles.map((title, i) => [title, placeholder(row, widths[i] ?? 1)])),
  );
  return (
    <InkTable
      data={data}
      columns={titles}
      header={({ children }) => <Text {...styles.heading}>{children}</Text>}
      skeleton={({ children }) => <Text {...tones.quiet}>{children}</Text>}
      cell={({ children, column }) => {
        const index = shown[column] ?? 0;
        const row = (typeof children === 'string' ? children : '').trimStart().charCodeAt(0) - marks;
        return <Text>{` ${pad(rows[row]?.[index] ?? '', widths[column] ?? 0, columns[index]?.align)} `}</Text>;
      }}
    />
  );
}

function Plain({ columns, rows, fitted: { shown, widths } }: FittedProps): ReactElement {
  const line = (cells: (index: number) => string): string =>
    shown
      .map((index, i) => pad(cells(index), widths[i] ?? 0, columns[index]?.align))
      .join('  ')
      .trimEnd();
  return (
    <Box flexDirection="column">
      <Text {...styles.heading}>{line((index) => columns[index]?.title ?? '')}</Text>
      {rows.map((row, i) => (
        <Text key={i} wrap="truncate">
          {line((index) => row[index] ?? '')}
        </Text>
      ))}
    </Box>
  );
}

function Stacked({ columns, rows }: Pick<FittedProps, 'columns' | 'rows'>): ReactElement {
  return (
    <Box flexDirection="column">
      {rows.map((row, i) => (
        <Box key={i} flexDirection="column" marginBottom={i === rows.length - 1 ? 0 : 1}>
          {columns.map(({ title }, column) => (
            <Text key={title}>
              <Text {...styles.label}>{title}: </Text>
              {row[column]}
            </Text>
          ))}
        </Box>
      ))}
    </Box>
  );
}
