/** Fits text into a number of cells. */
import stringWidth from 'string-width';

const characters = new Intl.Segmenter('en', { granularity: 'grapheme' });

const plain = /^[\x20-\x7e]*$/;

/** Returns the width of a text in cells. ASCII has a fast path, because most of a frame's time goes into measuring. */
function widthOf(text: string): number {
  return plain.test(text) ? text.length : stringWidth(text);
}

/** Cuts text to at most `width` cells. An ellipsis marks the cut. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = '';
  let cells = 0;
  for (const { segment } of characters.segment(text)) {
    const each = stringWidth(segment);
    if (cells + each > width - 1) break;
    kept += segment;
    cells += each;
  }
  return width < 1 ? '' : `${kept}…`;
}

/** Cuts or pads text to exactly `width` cells. */
export function cell(text: string, width: number, align?: 'left' | 'right'): string {
  const shown = cut(text, width);
  const room = ' '.repeat(Math.max(0, width - widthOf(shown)));
  return align === 'right' ? room + shown : shown + room;
}

/** Breaks long lines at exactly `width` cells. */
export function wrapped(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => {
    if (widthOf(line) <= width) return [line];
    const lines: string[] = [];
    let current = '';
    let cells = 0;
    for (const { segment } of characters.segment(line)) {
      const each = stringWidth(segment);
      if (cells + each > width && current !== '') {
        lines.push(current);
        current = '';
        cells = 0;
      }
      current += segment;
      cells += each;
    }
    return [...lines, current];
  });
}

/** Joins as many parts, in order, as fit into `width` cells. */
export function joinFitting(parts: readonly string[], separator: string, width: number): string {
  let line = '';
  for (const part of parts) {
    const longer = line === '' ? part : `${line}${separator}${part}`;
    if (stringWidth(longer) > width) return line === '' ? cut(part, width) : line;
    line = longer;
  }
  return line;
}
