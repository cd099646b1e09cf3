/** Draws the question before a change that cannot be undone. */
import { Box, Text, useCursor } from 'ink';
import type { ReactElement } from 'react';
import stringWidth from 'string-width';
import { printable } from '../../domain/text.ts';
import type { Line } from '../composer/line.ts';
import { windowOf } from '../composer/window.ts';
import { pad } from '../items/fit.ts';
import { styles, tones } from '../items/theme.ts';
import type { ConfirmDialog } from './confirmDialog.ts';

export interface ConfirmViewProps {
  readonly dialog: ConfirmDialog;
  readonly line: Line;
  readonly mistyped: boolean;
  readonly columns: number;
  /** Rows available. */
  readonly rows: number;
  readonly top: number;
}

export function ConfirmView({ dialog, line, mistyped, columns, rows, top }: ConfirmViewProps): ReactElement {
  const { title, facts, word } = dialog.confirmation;
  const { setCursorPosition } = useCursor();
  const question = `Type "${word}" to continue: `;
  const shown = windowOf(line, Math.max(8, columns - stringWidth(question) - 1));
  const room = Math.max(1, rows - 3);
  const all = facts.length <= room;
  const first = all ? 0 : Math.min(dialog.top, facts.length - (room - 1));
  const visible = all ? facts : facts.slice(first, first + room - 1);
  setCursorPosition({
    x: Math.min(columns - 1, stringWidth(question) + shown.column),
    y: top + 1 + Math.min(facts.length, room),
  });
  const labels = Math.max(0, ...facts.map(([label]) => stringWidth(label))) + 1;
  return (
    <Box flexDirection="column">
      <Text wrap="truncate" {...tones.bad}>
        {printable(title)}
      </Text>
      {visible.map(([label, value], i) => (
        <Text key={i} wrap="truncate">
          <Text {...styles.label}>{`  ${pad(`${printable(label)}:`, labels)} `}</Text>
          {printable(value)}
        </Text>
      ))}
      {all ? undefined : (
        <Text wrap="truncate" {...tones.quiet}>
          {`  ${first + 1} to ${first + visible.length} of ${facts.length}; the arrow keys scroll`}
        </Text>
      )}
      <Text wrap="truncate">
        {printable(question)}
        {printable(shown.text)}
      </Text>
      <Text wrap="truncate" {...(mistyped ? tones.bad : tones.quiet)}>
        {mistyped ? `That does not match "${printable(word)}". Esc cancels` : 'Esc or an empty line cancels'}
      </Text>
    </Box>
  );
}
