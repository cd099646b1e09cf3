/** Bars and curves made of characters. */
import sparkly from 'sparkly';

/** Returns a bar of `width` cells, drawn in eighths of a cell, so that small differences show. */
export function bar(ratio: number, width: number): { readonly full: string; readonly rest: string } {
  const eighths = Math.round(Math.min(1, Math.max(0, ratio)) * width * 8);
  const whole = Math.floor(eighths / 8);
  const part = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8] ?? '';
  const full = '█'.repeat(whole) + part;
  return { full, rest: '░'.repeat(Math.max(0, width - whole - (part === '' ? 0 : 1))) };
}

/**
 * Returns a curve of the last `width` values, or the empty string for fewer than two. `whole` is the value of the
 * curve's top, so that low use looks low; it defaults to the largest value.
 */
export function curve(series: readonly number[], width: number, whole?: number): string {
  const values = series.slice(-width);
  return values.length < 2
    ? ''
    : sparkly(values, { minimum: 0, ...(whole === undefined ? {} : { maximum: Math.max(whole, ...values) }) });
}
