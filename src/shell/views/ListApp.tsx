/** Draws the live list. It always fills the window. */
import { Box, Text, useApp, useCursor, useWindowSize } from 'ink';
import { memo, useEffect, useRef, useSyncExternalStore, type ReactElement } from 'react';
import stringWidth from 'string-width';
import type { FeedContainer } from '../../domain/events/notice.ts';
import { printable } from '../../domain/text.ts';
import { windowOf } from '../composer/window.ts';
import type { Line as TypedLine } from '../composer/line.ts';
import { FormView } from '../forms/FormView.tsx';
import { styles, tones } from '../items/theme.ts';
import { ConfirmView } from '../screen/ConfirmView.tsx';
import type { Dialog } from '../screen/store.ts';
import { useKeys } from '../screen/useKeys.ts';
import type { LiveCall } from '../model/liveCalls.ts';
import { hints } from './model/bindings.ts';
import { cut, joinFitting } from './layout/cells.ts';
import type { ListController } from './control/listController.ts';
import { bodyRows, footerRows, scrolled, type Placed } from './layout/layout.ts';
import {
  emptyLine,
  headLine,
  progress,
  rowLine,
  sameLine,
  titleLine,
  type Line,
  type RowLook,
} from './layout/lines.ts';
import type { Pane } from './control/pane.ts';
import type { Message } from './control/messages.ts';

export interface ListAppProps {
  readonly controller: ListController;
  readonly liveCalls: () => readonly LiveCall[];
  /** A note on the host for the first line: `SIMULATED`, or empty. */
  readonly hostNote: string;
  /** Receives a function that stops drawing until its result is called. */
  readonly onMount: (suspend: () => Promise<() => Promise<void>>) => void;
}

export function ListApp({ controller, liveCalls, hostNote, onMount }: ListAppProps): ReactElement {
  const { dialog, pane, typing, question, message } = useSyncExternalStore(
    controller.store.subscribe,
    controller.store.get,
  );
  const { columns, rows } = useWindowSize();
  const { suspendTerminal } = useApp();
  useKeys(
    () => controller,
    (error) => controller.fail(error),
  );
  useEffect(() => {
    onMount(async () => {
      const suspension = await suspendTerminal();
      return () => suspension.resume();
    });
  }, []);

  const width = columns - 1;
  const below = footerRows(rows, dialog?.height);
  const body = bodyRows(rows, dialog?.height);
  return (
    <Box flexDirection="column" height={rows} overflow="hidden">
      <LineView line={headLine(controller.model, hostNote, width)} />
      {pane === undefined ? (
        <Rows controller={controller} liveCalls={liveCalls()} width={width} height={body} />
      ) : (
        <PaneView pane={pane} width={width} height={body} />
      )}
      <Footer
        dialog={dialog}
        typing={typing}
        isList={pane === undefined}
        message={
          question === undefined ? (message ?? liveCallMessage(liveCalls())) : { tone: 'warn', text: question.text }
        }
        hints={
          question === undefined ? hints(controller.bindings, controller.place, pane?.copy !== undefined) : answers
        }
        columns={columns}
        rows={below}
        top={rows - below}
      />
    </Box>
  );
}

interface RowsProps {
  readonly controller: ListController;
  readonly liveCalls: readonly LiveCall[];
  readonly width: number;
  readonly height: number;
}

function Rows({ controller: { model, widths }, liveCalls, width, height }: RowsProps): ReactElement {
  const top = useRef(0);
  const { shown, selected, marks, now, selectedIndex } = model;
  const placed = widths.placed(width);
  top.current = scrolled(top.current, selectedIndex, shown.length, height);
  const callsByUser = new Map(liveCalls.map((liveCall) => [liveCall.target, liveCall]));
  const visible = shown.slice(top.current, top.current + height);
  return (
    <Box flexDirection="column" height={height + 1} flexShrink={0}>
      <LineView line={titleLine(placed, model)} />
      {visible.length === 0 ? <LineView line={emptyLine(model)} /> : undefined}
      {visible.map((container) => (
        <RowView
          key={container.user}
          container={container}
          placed={placed}
          selected={container === selected}
          marked={marks.has(container.user)}
          liveCall={callsByUser.get(container.user)}
          now={now}
          width={width}
        />
      ))}
    </Box>
  );
}

interface RowProps extends RowLook {
  readonly container: FeedContainer;
  readonly placed: readonly Placed[];
}

/** The row of a container. It is not laid out again while its props are the same. */
const RowView = memo(function RowView({ container, placed, ...look }: RowProps): ReactElement {
  return <LineView line={rowLine(container, placed, look)} />;
});

/** One row of the screen. It is not rendered again while it looks the same. */
const LineView = memo(
  function LineView({ line: { segments, inverse } }: { readonly line: Line }): ReactElement {
    return (
      <Text wrap="truncate" inverse={inverse === true}>
        {segments.map(({ text, style }, i) =>
          style === undefined ? (
            text
          ) : (
            <Text key={i} {...style}>
              {text}
            </Text>
          ),
        )}
      </Text>
    );
  },
  (a, b) => sameLine(a.line, b.line),
);

function PaneView({
  pane,
  width,
  height,
}: {
  readonly pane: Pane;
  readonly width: number;
  readonly height: number;
}): ReactElement {
  const { lines, first, last, count, isWhole } = pane.window(height);
  const filter = pane.filter === '' ? '' : ` · matching "${printable(pane.filter)}"`;
  const where = isWhole ? '' : ` · ${first + 1} to ${last + 1} of ${count} lines`;
  return (
    <Box flexDirection="column" height={height + 1} flexShrink={0}>
      <Text wrap="truncate" {...styles.heading}>
        {cut(`${printable(pane.title)}${filter}${where}`, width)}
      </Text>
      {count === 0 && filter !== '' ? (
        <Text wrap="truncate" {...tones.quiet}>
          {cut('  No line matches; Esc clears the filter', width)}
        </Text>
      ) : undefined}
      {lines.map((line, i) => (
        <Text key={i} wrap="truncate">
          {line === '' ? ' ' : line}
        </Text>
      ))}
    </Box>
  );
}

interface FooterProps {
  readonly dialog: Dialog | undefined;
  readonly typing: TypedLine | undefined;
  /** Whether the filter is for the list, which has labels. */
  readonly isList: boolean;
  readonly message: Message | undefined;
  readonly hints: readonly string[];
  readonly columns: number;
  readonly rows: number;
  readonly top: number;
}

function Footer({ dialog, typing, isList, message, hints: keys, columns, rows, top }: FooterProps): ReactElement {
  const width = columns - 1;
  if (dialog !== undefined) {
    return (
      <Box flexDirection="column" height={rows} flexShrink={0} overflow="hidden">
        {dialog.kind === 'confirm' ? (
          <ConfirmView
            dialog={dialog}
            line={dialog.line}
            mistyped={dialog.mistyped}
            columns={columns}
            rows={rows}
            top={top}
          />
        ) : (
          <FormView form={dialog} state={dialog.state} columns={columns} rows={rows} top={top} />
        )}
      </Box>
    );
  }
  if (typing !== undefined) return <FilterLine line={typing} isList={isList} width={width} top={top} />;
  return (
    <Box flexDirection="column" height={rows} flexShrink={0}>
      <Text wrap="truncate" {...tones[message?.tone ?? 'plain']}>
        {message === undefined ? ' ' : cut(printable(message.text), width)}
      </Text>
      <Text wrap="truncate" {...tones.quiet}>
        {joinFitting(keys, '  ', width)}
      </Text>
    </Box>
  );
}

/** The keys that answer a question. */
const answers: readonly string[] = ['Enter or y does it', 'any other key cancels'];

const filterPrompt = 'Filter: ';

function FilterLine({
  line,
  isList,
  width,
  top,
}: {
  readonly line: TypedLine;
  readonly isList: boolean;
  readonly width: number;
  readonly top: number;
}): ReactElement {
  const { setCursorPosition } = useCursor();
  const before = stringWidth(filterPrompt);
  const shown = windowOf(line, width - before);
  setCursorPosition({ x: before + shown.column, y: top });
  return (
    <Box flexDirection="column" height={2} flexShrink={0}>
      <Text wrap="truncate">
        {filterPrompt}
        {printable(shown.text)}
      </Text>
      <Text wrap="truncate" {...tones.quiet}>
        {joinFitting(
          ['Enter keeps it', 'Esc clears it', isList ? 'text, !text, label:key=value' : 'text, !text'],
          '  ',
          width,
        )}
      </Text>
    </Box>
  );
}

/** Returns the progress of a running call, for the footer: a container that is being created has no row yet. */
function liveCallMessage(liveCalls: readonly LiveCall[]): Message | undefined {
  const liveCall = liveCalls.findLast(({ steps }) => steps.length > 0);
  return liveCall === undefined ? undefined : { tone: 'quiet', text: `${liveCall.title}: ${progress(liveCall)}` };
}
