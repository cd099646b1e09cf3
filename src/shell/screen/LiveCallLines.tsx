/** Draws the running calls: one line each, and the steps of own calls if there is room. */
import { Box, Text, useAnimation } from 'ink';
import type { ReactElement } from 'react';
import { printable } from '../../domain/text.ts';
import { shortDuration } from '../../domain/values/duration.ts';
import { StepLine } from '../items/ItemView.tsx';
import { styles, tones } from '../items/theme.ts';
import { interruptible, type CtrlC, type LiveCall } from '../model/liveCalls.ts';

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/** Time between two frames of the spinner, in milliseconds. It is slow because each frame is a packet to the client. */
const frameMs = 250;

const ctrlCTexts: Readonly<Record<CtrlC, string>> = {
  stop: 'stops it',
  cancel: 'cancels it',
  rest: 'begins none of the others',
  leave: 'does not wait for it',
};

export interface LiveCallLinesProps {
  readonly liveCalls: readonly LiveCall[];
  readonly maxLines: number;
}

/** Returns the newest calls that fit, each with its number of step lines: all of its steps or none. */
function layout(
  liveCalls: readonly LiveCall[],
  maxLines: number,
): { readonly liveCall: LiveCall; readonly steps: number }[] {
  const shown = liveCalls.slice(-Math.max(0, maxLines));
  let left = maxLines - shown.length;
  return shown.map((liveCall) => {
    const wanted = liveCall.own ? liveCall.steps.length : 0;
    const steps = wanted <= left ? wanted : 0;
    left -= steps;
    return { liveCall, steps };
  });
}

export function LiveCallLines({ liveCalls, maxLines }: LiveCallLinesProps): ReactElement | undefined {
  const { frame } = useAnimation({ interval: frameMs, isActive: liveCalls.length > 0 });
  if (liveCalls.length === 0 || maxLines === 0) return undefined;
  const spinner = frames[frame % frames.length] ?? '•';
  const next = interruptible(liveCalls);
  return (
    <Box flexDirection="column">
      {layout(liveCalls, maxLines).flatMap(({ liveCall, steps }) => [
        <Title key={liveCall.id} {...{ liveCall, spinner }} withStep={steps === 0} isNext={liveCall === next} />,
        ...liveCall.steps.slice(0, steps).map((step) => (
          <Box key={`${liveCall.id} ${step.index}`} height={1} paddingRight={1} overflow="hidden">
            <Text wrap="truncate">
              {'  '}
              <StepLine step={step} running={spinner} />
            </Text>
          </Box>
        )),
      ])}
    </Box>
  );
}

/** Returns how many lines the calls take. */
export function countLines(liveCalls: readonly LiveCall[], maxLines: number): number {
  return layout(liveCalls, maxLines).reduce((sum, { steps }) => sum + 1 + steps, 0);
}

function Title({
  liveCall,
  spinner,
  withStep,
  isNext,
}: {
  readonly liveCall: LiveCall;
  readonly spinner: string;
  readonly withStep: boolean;
  /** Whether Ctrl-C is about it. */
  readonly isNext: boolean;
}): ReactElement {
  const step = liveCall.steps.at(-1);
  const { ctrlC } = liveCall;
  return (
    <Box height={1} paddingRight={1} overflow="hidden">
      <Box flexShrink={1} height={1} overflow="hidden">
        <Text wrap="truncate">
          <Text {...styles.name}>{spinner}</Text> {printable(liveCall.title)}
          {withStep && step !== undefined ? ` [${step.index}/${step.total}] ${printable(step.title)}…` : ''}
          {ctrlC?.does === 'leave' ? ` ${printable(liveCall.notes.at(-1) ?? '')}…` : ''}
        </Text>
      </Box>
      <Box flexShrink={0}>
        <Text {...tones.quiet}>
          {' '}
          {shortDuration(performance.now() - liveCall.startedMs)}
          {isNext && ctrlC !== undefined ? `, Ctrl-C ${ctrlCTexts[ctrlC.does]}` : ''}
        </Text>
      </Box>
    </Box>
  );
}
