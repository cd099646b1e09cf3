/**
 * Colours by meaning. Only the sixteen that a terminal's own palette has, so that light and dark ones are both
 * readable; yellow and the bright ones are not, on a light ground. Every meaning is in the words or the sign too.
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
  speaker: { bold: true, color: 'magenta' },
} as const satisfies Record<string, Style>;

export const signs = { done: '✓', failed: '✗', running: '•', prompt: '›' } as const;

/** The colour of a bar by how full it is. */
export function fullness(ratio: number): Style {
  return ratio >= 0.9 ? tones.bad : ratio >= 0.75 ? tones.warn : tones.good;
}
