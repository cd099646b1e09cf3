/** Renders the progress of a running call as lines for standard error. */
import { printableLines } from '../domain/text.ts';
import { shortDuration } from '../domain/values/duration.ts';
import type { CallEvent } from '../domain/events/callEvent.ts';

/** Indents every line after the first, so that text from a program or a container cannot imitate a line of ours. */
function indentRest(text: string, by: string): string {
  return printableLines(text).replaceAll('\n', `\n${by}`);
}

/**
 * Returns the text to print for one event. On a terminal the line of a step appears when the step begins and is
 * overwritten when it ends; elsewhere a step is printed only when it ends.
 */
export function progressText(event: Exclude<CallEvent, { type: 'output' }>, terminal: boolean): string {
  if (event.type === 'note') return `${indentRest(event.text, '  ')}\n`;
  const label = `[${event.index}/${event.total}] ${printableLines(event.title)}…`;
  if (event.state === 'begun') return terminal ? `  ${label}` : '';
  const mark = event.state === 'done' ? '✓' : '✗';
  const line = `${terminal ? '\r' : ''}${mark} ${label} (${shortDuration(event.elapsedMs)})\n`;
  return event.detail === undefined ? line : `${line}    ${indentRest(event.detail, '    ')}\n`;
}
