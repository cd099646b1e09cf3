/** Screens of a terminal as SVG, for the pages of docs/. */
import type { StyledRun } from './shell.ts';

/** Size of a cell, in pixels. The default monospace font of browsers is 8.4 px wide at 14 px. */
const cell = { width: 8.4, height: 19 };
const padding = 14;
/** Height of the title bar, in pixels. */
const bar = 30;

const palette = [
  '#484f58',
  '#ff7b72',
  '#3fb950',
  '#d29922',
  '#58a6ff',
  '#bc8cff',
  '#39c5cf',
  '#b1bac4',
  '#6e7681',
  '#ffa198',
  '#56d364',
  '#e3b341',
  '#79c0ff',
  '#d2a8ff',
  '#56d4dd',
  '#f0f6fc',
];
const background = '#0d1117';
const foreground = '#e6edf3';

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

function run({ column, text, colour, bold, dim, inverse }: StyledRun, y: number): string {
  const x = (padding + column * cell.width).toFixed(1);
  const width = ([...text].length * cell.width).toFixed(1);
  const own = colour === null ? foreground : (palette[colour] ?? foreground);
  const box = inverse
    ? `<rect x="${x}" y="${y - cell.height + 5}" width="${width}" height="${cell.height}" fill="${own}"/>`
    : '';
  const style = `${bold ? ' font-weight="bold"' : ''}${dim ? ' opacity="0.65"' : ''}`;
  return `${box}<text x="${x}" y="${y}" fill="${inverse ? background : own}"${style} textLength="${width}">${escaped(text)}</text>`;
}

/** Renders a picture. `title` is the text of the title bar, `description` the text for screen readers. */
export function svg(
  rows: readonly (readonly StyledRun[])[],
  columns: number,
  title: string,
  description: string,
): string {
  const width = Math.ceil(2 * padding + columns * cell.width);
  const height = Math.ceil(bar + 2 * padding + rows.length * cell.height);
  const lines = rows.flatMap((runs, row) =>
    runs
      .filter(({ text, inverse }) => inverse || text.trim() !== '')
      .map((each) => run(each, bar + padding + (row + 1) * cell.height - 5)),
  );
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(description)}">`,
    `<title>${escaped(description)}</title>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${background}"/>`,
    ...['#ff5f57', '#febc2e', '#28c840'].map(
      (fill, i) => `<circle cx="${20 + i * 18}" cy="16" r="5.5" fill="${fill}"/>`,
    ),
    `<text x="${width / 2}" y="20" fill="#8b949e" font-family="sans-serif" font-size="12" text-anchor="middle">${escaped(title)}</text>`,
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" xml:space="preserve">`,
    ...lines,
    '</g>',
    '</svg>',
  ].join('\n')}\n`;
}

/** Returns the words of a picture, one row per line, without times, fingerprints and addresses. */
export function wordsOf(picture: string): string {
  const rows = new Map<string, string>();
  for (const [, y = '', text = ''] of picture.matchAll(
    /<text x="[\d.]+" y="(\d+)" fill="[^"]+"[^>]*textLength[^>]*>([^<]*)</g,
  ))
    rows.set(y, `${rows.get(y) ?? ''}${text} `);
  return [...rows.values()]
    .join('\n')
    .replace(/&quot;/g, '"')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&')
    .replace(/SHA256:\S+/g, 'SHA256:…')
    .replace(/AAAA\S+/g, 'AAAA…')
    .replace(/[▀-▟]+/g, '')
    .replace(/<?[\d.]+%/g, '-')
    .replace(/\d+/g, '0')
    .replace(/\b0 (second|minute)s? ago/g, '0 ago')
    .replace(/(\b(0\.)?0 ?(d|h|min|m|ms|s)\b ?)+/g, '0 s ')
    .replace(/ +/g, ' ');
}
