/** How the characters of a line are shown, and how wide they are. */
import { textWidth } from '../../catalogue/output/textWidth.ts';
import { lazily } from '../../domain/lazily.ts';
import { printable } from '../../domain/text.ts';

export interface Cell {
  readonly shown: string;
  readonly width: number;
}

const segmenter = lazily(() => new Intl.Segmenter('en', { granularity: 'grapheme' }));

/** Splits text into grapheme clusters. */
export function charactersOf(text: string): string[] {
  return Array.from(segmenter().segment(text), ({ segment }) => segment);
}

/** Returns how a character is shown. A control or invisible character is escaped, and so takes more cells. */
export function cellOf(character: string): Cell {
  if (/^[ -~]$/.test(character)) return { shown: character, width: 1 };
  const shown = character === '\n' ? ' ' : printable(character);
  return { shown, width: textWidth(shown) };
}
