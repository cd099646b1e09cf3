/** The formats in which an answer is printed. */

export const formats = ['table', 'json', 'yaml', 'csv'] as const;
export type Format = (typeof formats)[number];

/** Returns the requested output format. It works for any words, because parse errors need a format too. */
export function wantedFormat(words: readonly string[]): Format {
  let format: Format = 'table';
  for (const [i, word] of words.entries()) {
    if (word === '--') break;
    if (word === '--json') format = 'json';
    const value =
      word === '--format' ? words[i + 1] : word.startsWith('--format=') ? word.slice('--format='.length) : undefined;
    if (value !== undefined && (formats as readonly string[]).includes(value)) format = value as Format;
  }
  return format;
}
