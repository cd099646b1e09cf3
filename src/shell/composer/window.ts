/** The part of a line that is shown: one row, with the cursor in it. */
import stringWidth from 'string-width';
import type { Line } from './line.ts';

export interface Window {
  readonly text: string;
  /** The cell of the cursor, counted from 0. */
  readonly column: number;
}

const characters = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** At most `width` cells of the line; where something is cut off, an ellipsis says so. */
export function windowOf({ text, cursor }: Line, width: number): Window {
  const whole = stringWidth(text);
  const column = stringWidth(text.slice(0, cursor));
  if (whole < width) return { text, column };
  // The cursor stands in the last third, so that what was typed last is seen and what comes has room.
  const from = Math.max(0, Math.min(column - Math.floor((width * 2) / 3), whole - width + 2));
  let shown = '';
  let at = 0;
  let cells = 0;
  let cursorAt = 0;
  for (const { segment, index } of characters.segment(text)) {
    const each = stringWidth(segment);
    if (index === cursor) cursorAt = cells;
    if (at >= from && cells + each < width) {
      shown += segment;
      cells += each;
    }
    at += each;
    if (index + segment.length === cursor) cursorAt = cells;
  }
  const cutBefore = from > 0;
  const cutAfter = from + cells < whole;
  const marked = [...characters.segment(shown)].map(({ segment }) => segment);
  if (cutBefore && marked.length > 0) marked[0] = '…'.padEnd(stringWidth(marked[0] ?? ''), ' ');
  if (cutAfter && marked.length > 0) marked[marked.length - 1] = '…'.padEnd(stringWidth(marked.at(-1) ?? ''), ' ');
  return { text: marked.join(''), column: cursorAt };
}
