/**
 * Colours by meaning. They come from the terminal's own palette of sixteen, so that they are readable on light and dark
 * backgrounds; yellow and the bright colours are not readable on light ones. Words or signs repeat every meaning.
 */
import type { TextProps } from 'ink';
import type { Tone } from '../../catalogue/declaration/view.ts';

type Style = Pick<TextProps, 'color' | 'bold' | 'dimColor' | 'inverse'>;

export const tones: Readonly<Record<Tone, Style>> = {
  plain: {},
  good: { color: 'green' },
  warn: { color: 'magenta' },
  bad: { color: 'red' },
  quiet: { dimColor: true },
};

export const styles = {
  prompt: { bold: true },
  label: { dimColor: true },
  heading: { bold: true },
  name: { bold: true },
  selected: { inverse: true },
  focused: { inverse: true, bold: true },
  speaker: { bold: true, color: 'magenta' },
} as const satisfies Record<string, Style>;

export const signs = { done: '✓', failed: '✗', running: '•', prompt: '›' } as const;

/** Returns the colour of a bar by how full it is. */
export function fullness(ratio: number): Style {
  return ratio >= 0.9 ? tones.bad : ratio >= 0.75 ? tones.warn : tones.good;
}
