/**
 * Draws the input line, its suggestions and the status line. The layout, not this code, limits the width of rows: after
 * a resize Ink draws once before React knows the new size, and a row that is too long would shift everything below it.
 */
import { Box, Text, useCursor } from 'ink';
import type { ReactElement } from 'react';
import stringWidth from 'string-width';
import { plural, printable } from '../../domain/text.ts';
import type { ComposerState, Suggestions } from '../composer/composer.ts';
import { pastedStatus } from '../composer/pastedLines.ts';
import { windowOf } from '../composer/window.ts';
import { pad } from '../items/fit.ts';
import { signs, styles, tones } from '../items/theme.ts';

export interface ComposerViewProps {
  readonly composer: ComposerState;
  readonly hint: string | undefined;
  readonly status: string;
  readonly columns: number;
  /** Rows available. */
  readonly rows: number;
  /** Rows above it in the same frame. */
  readonly top: number;
}

const maxSuggestions = 8;
const maxPastedRows = 6;
const promptWidth = 2;

/** Returns how many rows pasted lines take, at most `room`. */
export function pastedRows({ pasted }: Pick<ComposerState, 'pasted'>, room: number): number {
  return Math.max(0, Math.min(pasted.length, maxPastedRows, room));
}

export function ComposerView({ composer, hint, status, columns, rows, top }: ComposerViewProps): ReactElement {
  const { setCursorPosition } = useCursor();
  const { line, search, suggestions, leaving } = composer;
  const prompt = search === undefined ? signs.prompt : `search "${printable(search.text)}":`;
  const before = search === undefined ? promptWidth : stringWidth(prompt) + 1;
  const shown =
    search === undefined
      ? windowOf(line, columns - promptWidth - 1)
      : { text: search.found ?? (search.text === '' ? '' : '(no match)'), column: 0 };
  const above = pastedRows(composer, rows - 2);
  setCursorPosition({ x: search === undefined ? before + shown.column : Math.max(0, before - 3), y: top + above });
  const room = Math.max(0, Math.min(maxSuggestions, rows - 2 - above));
  return (
    <Box flexDirection="column">
      <PastedLines lines={composer.pasted} rows={above} />
      <Box height={1} paddingRight={1} overflow="hidden">
        <Text wrap="truncate">
          <Text {...styles.prompt}>{prompt}</Text> {printable(shown.text)}
        </Text>
      </Box>
      {suggestions === undefined || room === 0 ? undefined : <SuggestionList suggestions={suggestions} room={room} />}
      <Box height={1} paddingRight={1} overflow="hidden">
        <Text wrap="truncate" {...(leaving ? tones.warn : tones.quiet)}>
          {printable(statusOf(composer, hint, status, room, leaving))}
        </Text>
      </Box>
    </Box>
  );
}

/** Shows the pasted lines; of more than fit, the first ones and their number. */
function PastedLines({ lines, rows }: { readonly lines: readonly string[]; readonly rows: number }): ReactElement {
  const shown = lines.length > rows ? lines.slice(0, Math.max(0, rows - 1)) : lines;
  const more = lines.length - shown.length;
  return (
    <Box flexDirection="column">
      {shown.map((line, i) => (
        <Text key={i} wrap="truncate">
          {`  ${printable(line)}`}
        </Text>
      ))}
      {more > 0 && rows > 0 ? (
        <Text wrap="truncate" {...tones.quiet}>{`  … and ${plural(more, 'more line')}`}</Text>
      ) : undefined}
    </Box>
  );
}

function statusOf(
  { suggestions, search, pasted }: ComposerState,
  hint: string | undefined,
  status: string,
  room: number,
  leaving: boolean,
): string {
  if (leaving) return 'Press Ctrl-C again to leave; changes in progress continue';
  if (search !== undefined) return 'Ctrl-R finds older lines, Enter runs the line, Esc cancels';
  if (suggestions !== undefined) {
    const more = suggestions.candidates.length - room;
    return `Tab and arrows select, Enter accepts, Esc closes${more > 0 ? ` (${suggestions.candidates.length} in all)` : ''}`;
  }
  if (pasted.length > 0) return pastedStatus(pasted.length);
  return hint ?? status;
}

function SuggestionList({
  suggestions,
  room,
}: {
  readonly suggestions: Suggestions;
  readonly room: number;
}): ReactElement {
  const { candidates, selected } = suggestions;
  const first = Math.max(0, Math.min(selected - room + 1, candidates.length - room));
  const shown = candidates.slice(first, first + room);
  const width = Math.min(40, Math.max(...shown.map(({ value }) => stringWidth(printable(value)))));
  return (
    <Box flexDirection="column">
      {shown.map(({ value, says }, i) => (
        <Box key={value} height={1} paddingRight={1} overflow="hidden">
          <Text wrap="truncate">
            {'  '}
            <Text {...(first + i === selected ? styles.selected : {})}>{pad(printable(value), width)}</Text>
            {says === undefined ? '' : <Text {...tones.quiet}>{`  ${printable(says)}`}</Text>}
          </Text>
        </Box>
      ))}
    </Box>
  );
}
