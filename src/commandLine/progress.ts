/** The progress of a running verb as lines on standard error. */
import { printableLines } from '../domain/text.ts';
import type { CallEvent } from '../domain/events/callEvent.ts';

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 9950 ? 1 : 0)} s`;
}

/** Lines after the first are led in: text of a program or a container cannot begin one as if it were ours. */
function ledIn(text: string, by: string): string {
  return printableLines(text).replaceAll('\n', `\n${by}`);
}

/**
 * One event as text to print. On a terminal a step shows when it begins and is overwritten when it ends; elsewhere only
 * its end is told.
 */
export function progressText(what: Exclude<CallEvent, { type: 'output' }>, terminal: boolean): string {
  if (what.type === 'note') return `${ledIn(what.text, '  ')}\n`;
  const label = `[${what.index}/${what.total}] ${printableLines(what.title)}…`;
  if (what.state === 'begun') return terminal ? `  ${label}` : '';
  const mark = what.state === 'done' ? '✓' : '✗';
  const line = `${terminal ? '\r' : ''}${mark} ${label} (${seconds(what.elapsedMs)})\n`;
  return what.detail === undefined ? line : `${line}    ${ledIn(what.detail, '    ')}\n`;
}
