/** Draws one block of an answer. */
import { Box, Text } from 'ink';
import type { ReactElement } from 'react';
import stringWidth from 'string-width';
import type { Block, Drawing, Field } from '../../catalogue/declaration/view.ts';
import { printable, printableLines } from '../../domain/text.ts';
import { DataTable } from './DataTable.tsx';
import { bar, curve } from './drawing.ts';
import { fullness, styles, tones } from './theme.ts';

export interface BlockViewProps {
  readonly block: Exclude<Block, { kind: 'verbatim' }>;
  readonly width: number;
}

export function BlockView({ block, width }: BlockViewProps): ReactElement {
  switch (block.kind) {
    case 'text':
      return <Text {...tones[block.tone ?? 'plain']}>{printableLines(block.text)}</Text>;
    case 'table':
      return block.rows.length === 0 ? (
        <Text {...tones.quiet}>{printableLines(block.empty)}</Text>
      ) : (
        <DataTable {...block} width={width} />
      );
    case 'fields':
      return <Fields title={block.title} fields={block.fields} width={width} />;
  }
}

/** The least room for values beside their labels, in cells. With less, labels stand above their values. */
const minValueWidth = 24;
const barWidth = 20;
const curveWidth = 30;

function Fields({
  title,
  fields,
  width,
}: {
  readonly title: string | undefined;
  readonly fields: readonly Field[];
  readonly width: number;
}): ReactElement {
  const labels = Math.max(0, ...fields.map(([label]) => stringWidth(label))) + 4;
  const beside = width - labels >= minValueWidth;
  const values = Math.min(
    40,
    Math.max(
      0,
      ...fields.filter(([, , drawing]) => drawing?.ratio !== undefined).map(([, value]) => stringWidth(value)),
    ),
  );
  const room = width - labels - values - 2;
  return (
    <Box flexDirection="column">
      {title === undefined ? undefined : <Text {...styles.heading}>{printableLines(title)}</Text>}
      {fields.map(([label, value, drawing], i) => (
        <Box key={i} flexDirection={beside ? 'row' : 'column'}>
          <Box width={beside ? labels : undefined} flexShrink={0}>
            <Text {...styles.label}>{`  ${printable(label)}:`}</Text>
          </Box>
          <Box
            paddingLeft={beside ? 0 : 4}
            width={drawing?.ratio === undefined || !beside ? undefined : values + 2}
            flexShrink={drawing?.ratio === undefined ? 1 : 0}
          >
            <Text>{printable(value)}</Text>
          </Box>
          {beside && drawing?.ratio !== undefined && room >= barWidth ? <Bar ratio={drawing.ratio} /> : undefined}
          {beside && drawing?.series !== undefined && room >= barWidth + curveWidth + 2 ? (
            <Text {...tones.quiet}>{`  ${curve(drawing.series, curveWidth, wholeOf(drawing))}`}</Text>
          ) : undefined}
        </Box>
      ))}
    </Box>
  );
}

/** Returns the value that a full bar stands for, so that its curve has the same scale. */
function wholeOf({ ratio, series }: Drawing): number | undefined {
  const last = series?.at(-1) ?? 0;
  return ratio === undefined || ratio <= 0 || last <= 0 ? undefined : last / ratio;
}

function Bar({ ratio }: { readonly ratio: number }): ReactElement {
  const { full, rest } = bar(ratio, barWidth);
  return (
    <Text>
      <Text {...fullness(ratio)}>{full}</Text>
      <Text {...tones.quiet}>{rest}</Text>
    </Text>
  );
}
