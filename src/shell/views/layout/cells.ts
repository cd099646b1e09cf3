/** Text in an exact number of cells of the screen. */
import stringWidth from 'string-width';

const characters = new Intl.Segmenter('en', { granularity: 'grapheme' });

const plain = /^[\x20-\x7e]*$/;

/** Cells that a text takes. Most texts are plain, and most of the time of a frame goes into counting. */
function widthOf(text: string): number {
  return plain.test(text) ? text.length : stringWidth(text);
}

/** `text` in at most `width` cells; where something is left out, an ellipsis says so. */
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

export function cell(text: string, width: number, align?: 'left' | 'right'): string {
  const shown = cut(text, width);
  const room = ' '.repeat(Math.max(0, width - widthOf(shown)));
  return align === 'right' ? room + shown : shown + room;
}

/** Long lines broken at the edge, wherever that is: nothing is lost, nothing is added. */
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

/** As many of the parts, in order, as fit into `width` cells. */
export function joinFitting(parts: readonly string[], separator: string, width: number): string {
  let line = '';
  for (const part of parts) {
    const longer = line === '' ? part : `${line}${separator}${part}`;
    if (stringWidth(longer) > width) return line === '' ? cut(part, width) : line;
    line = longer;
  }
  return line;
}
