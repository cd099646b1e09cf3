/**
 * The width of text on a terminal. What measures every script takes as long to load as Node.js itself
 * (`npm run bench:start`), so it is loaded for the first text that is not of plain letters.
 */
import { createRequire } from 'node:module';

type Measure = (text: string) => number;

/** Characters of one column each that combine with nothing: ASCII, Latin, and the ellipsis of shortened texts. */
const plain = /^[ -~\u{a1}-\u{ac}\u{ae}-\u{17f}\u{2026}]*$/u;

let measure: Measure | undefined;

/** Loads what measures every script. For a process that cannot load it later. */
export async function loadTextWidth(): Promise<void> {
  measure ??= (await import('string-width')).default;
}

/** Returns the number of columns that text takes on a terminal. */
export function textWidth(text: string): number {
  if (plain.test(text)) return text.length;
  measure ??= (createRequire(import.meta.url)('string-width') as { readonly default: Measure }).default;
  return measure(text);
}
