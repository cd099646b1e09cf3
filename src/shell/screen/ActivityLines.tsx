/** What is at work, one line each, with the steps of one's own where there is room. */
import { Box, Text, useAnimation } from 'ink';
import type { ReactElement } from 'react';
import { printable } from '../../domain/text.ts';
import { StepLine } from '../items/ItemView.tsx';
import { styles, tones } from '../items/theme.ts';
import { showDuration } from '../items/words.ts';
import type { Activity } from '../session/activities.ts';

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/** Between two frames of the spinner, in milliseconds: slow, because each is a packet on the way to the client. */
const frameMs = 250;

export interface ActivityLinesProps {
  readonly activities: readonly Activity[];
  /** Lines at most. */
  readonly most: number;
}

/** The lines of each activity: its title, and its steps where all of them fit. */
function layout(
  activities: readonly Activity[],
  most: number,
): { readonly activity: Activity; readonly steps: number }[] {
  const shown = activities.slice(-Math.max(0, most));
  let left = most - shown.length;
  return shown.map((activity) => {
    const wanted = activity.own ? activity.steps.length : 0;
    const steps = wanted <= left ? wanted : 0;
    left -= steps;
    return { activity, steps };
  });
}

export function ActivityLines({ activities, most }: ActivityLinesProps): ReactElement | undefined {
  const { frame } = useAnimation({ interval: frameMs, isActive: activities.length > 0 });
  if (activities.length === 0 || most === 0) return undefined;
  const spinner = frames[frame % frames.length] ?? '•';
  return (
    <Box flexDirection="column">
      {layout(activities, most).flatMap(({ activity, steps }) => [
        <Title key={activity.id} activity={activity} spinner={spinner} withStep={steps === 0} />,
        ...activity.steps.slice(0, steps).map((step) => (
          <Box key={`${activity.id} ${step.index}`} height={1} paddingRight={1} overflow="hidden">
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

/** How many lines they take. */
export function countLines(activities: readonly Activity[], most: number): number {
  return layout(activities, most).reduce((sum, { steps }) => sum + 1 + steps, 0);
}

function Title({
  activity,
  spinner,
  withStep,
}: {
  readonly activity: Activity;
  readonly spinner: string;
  readonly withStep: boolean;
}): ReactElement {
  const step = activity.steps.at(-1);
  return (
    <Box height={1} paddingRight={1} overflow="hidden">
      <Text wrap="truncate">
        <Text {...styles.name}>{spinner}</Text> {printable(activity.title)}
        {withStep && step !== undefined ? ` [${step.index}/${step.total}] ${printable(step.title)}…` : ''}
        <Text {...tones.quiet}>
          {' '}
          {showDuration(performance.now() - activity.startedMs)}
          {activity.stop !== undefined && activity.own ? ', Ctrl-C stops it' : ''}
        </Text>
      </Text>
    </Box>
  );
}
