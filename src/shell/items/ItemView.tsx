/** Draws one item of the transcript, as it is written into the scrollback. */
import { Box, Text } from 'ink';
import type { ReactElement } from 'react';
import { printable, printableLines } from '../../domain/text.ts';
import { shortDuration } from '../../domain/values/duration.ts';
import type { Item } from './item.ts';
import { signs, styles, tones } from './theme.ts';
import { endedSentence } from './words.ts';
import type { StepEvent } from '../../domain/events/callEvent.ts';

export function ItemView({ item }: { readonly item: Exclude<Item, { kind: 'blocks' | 'raw' }> }): ReactElement {
  switch (item.kind) {
    case 'command':
      return (
        <Box marginTop={1}>
          <Text {...styles.prompt}>
            {signs.prompt} {printable(item.line)}
          </Text>
        </Box>
      );
    case 'steps':
      return <Steps steps={item.steps} notes={item.notes} />;
    case 'failure': {
      const { what, why, code, next } = item.failure;
      return (
        <Box flexDirection="column">
          <Text>
            <Text {...tones.bad}>
              {signs.failed} {printableLines(what)}:
            </Text>{' '}
            {printableLines(why)} <Text {...tones.quiet}>({code})</Text>
          </Text>
          {next === undefined ? undefined : (
            <Text>
              {'  '}
              <Text {...styles.label}>Next:</Text> {printableLines(next)}
            </Text>
          )}
        </Box>
      );
    }
    case 'ended': {
      const ok = item.call.outcome === 'ok';
      return (
        <Text>
          <Text {...(ok ? tones.good : tones.bad)}>{ok ? signs.done : signs.failed}</Text>{' '}
          {printable(endedSentence(item.call))}
          {item.meanwhile ? <Text {...tones.quiet}> (while you were away)</Text> : undefined}
        </Text>
      );
    }
    case 'said':
      return (
        <Text>
          <Text {...styles.speaker}>{printable(item.name)}:</Text> {printable(item.text)}
        </Text>
      );
    case 'note':
      return <Text {...tones.quiet}>{printableLines(item.text)}</Text>;
  }
}

function Steps({
  steps,
  notes,
}: {
  readonly steps: readonly StepEvent[];
  readonly notes: readonly string[];
}): ReactElement {
  return (
    <Box flexDirection="column">
      {steps.map((step) => (
        <StepLine key={step.index} step={step} running={signs.running} />
      ))}
      {notes.map((note, i) => (
        <Text key={i} {...tones.warn}>
          {printableLines(note)}
        </Text>
      ))}
    </Box>
  );
}

export function StepLine({ step, running }: { readonly step: StepEvent; readonly running: string }): ReactElement {
  const sign = step.state === 'done' ? signs.done : step.state === 'failed' ? signs.failed : running;
  const tone = step.state === 'done' ? tones.good : step.state === 'failed' ? tones.bad : {};
  return (
    <Text>
      <Text {...tone}>{sign}</Text> [{step.index}/{step.total}] {printable(step.title)}
      {step.state === 'begun' ? '…' : <Text {...tones.quiet}> {shortDuration(step.elapsedMs)}</Text>}
      {step.detail === undefined ? undefined : <Text {...tones.quiet}> {printable(step.detail)}</Text>}
    </Text>
  );
}
