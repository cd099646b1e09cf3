/** The characters of a line as they are shown, and how wide that is. */
import stringWidth from 'string-width';
import { printable } from '../../domain/text.ts';

export interface Cell {
  readonly shown: string;
  readonly width: number;
}

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** What a person takes for a character each. */
export function charactersOf(text: string): string[] {
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** A character as it is shown: what is no text is written out, and takes more cells than it would by itself. */
export function cellOf(character: string): Cell {
  if (/^[ -~]$/.test(character)) return { shown: character, width: 1 };
  const shown = character === '\n' ? ' ' : printable(character);
  return { shown, width: stringWidth(shown) };
}
