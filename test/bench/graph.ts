/** A graph of measured figures as SVG, for docs/performance.md. */

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Graph {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly series: readonly Series[];
}

const size = { width: 720, height: 360, left: 64, right: 180, top: 40, bottom: 48 };
const colours = ['#0b6e4f', '#b5541c', '#35508f', '#7a3b69'];
const ticksY = 5;

/** Returns the graph with a logarithmic horizontal axis and one that begins at 0. */
export function graphSvg({ title, x, y, series }: Graph): string {
  const all = series.flatMap(({ points }) => points);
  const xs = [...new Set(all.map(([at]) => at))].sort((a, b) => a - b);
  const top = niceCeiling(Math.max(...all.map(([, value]) => value)));
  const [low, high] = [Math.log(Math.min(...xs)), Math.log(Math.max(...xs))];
  const right = size.width - size.right;
  const bottom = size.height - size.bottom;
  const left = (at: number): number => size.left + ((Math.log(at) - low) / (high - low || 1)) * (right - size.left);
  const up = (value: number): number => bottom - (value / top) * (bottom - size.top);
  const text = (at: readonly [number, number], words: string, more = ''): string =>
    `<text x="${at[0].toFixed(1)}" y="${at[1].toFixed(1)}" ${more}>${escaped(words)}</text>`;
  const lines = [
    ...Array.from({ length: ticksY + 1 }, (_, tick) => {
      const value = (top / ticksY) * tick;
      const at = up(value).toFixed(1);
      return (
        `<line x1="${size.left}" x2="${right}" y1="${at}" y2="${at}" stroke="#ddd"/>` +
        text([size.left - 8, up(value) + 4], String(Number(value.toPrecision(3))), 'text-anchor="end"')
      );
    }),
    ...xs.map((at) => text([left(at), bottom + 18], at.toLocaleString('en'), 'text-anchor="middle"')),
    text([size.left, 24], title, 'font-weight="bold"'),
    text([(size.left + right) / 2, size.height - 10], x, 'text-anchor="middle"'),
    text([size.left, size.top - 4], y, 'fill="#555"'),
    ...series.flatMap(({ name, points }, at) => {
      const colour = colours[at % colours.length] ?? '#000';
      const path = points.map(([px, py]) => `${left(px).toFixed(1)},${up(py).toFixed(1)}`).join(' ');
      const last = points.at(-1);
      return [
        `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
        ...points.map(
          ([px, py]) => `<circle cx="${left(px).toFixed(1)}" cy="${up(py).toFixed(1)}" r="3" fill="${colour}"/>`,
        ),
        ...(last === undefined ? [] : [text([right + 8, up(last[1]) + 4], name, `fill="${colour}"`)]),
      ];
    }),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}

/** Returns the next larger number of the form 1, 2 or 5 times a power of ten. */
function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value || 1));
  return ([1, 2, 5, 10].find((step) => value <= step * power) ?? 10) * power;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
