/** Bars and curves out of characters. */
import sparkly from 'sparkly';

/** A bar of `width` cells; eighths are drawn, so that small differences show. */
export function bar(ratio: number, width: number): { readonly full: string; readonly rest: string } {
  const eighths = Math.round(Math.min(1, Math.max(0, ratio)) * width * 8);
  const whole = Math.floor(eighths / 8);
  const part = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8] ?? '';
  const full = '█'.repeat(whole) + part;
  return { full, rest: '░'.repeat(Math.max(0, width - whole - (part === '' ? 0 : 1))) };
}

/**
 * A curve of the last `width` values; the empty text where there is too little to see. `whole` is what the top of it
 * stands for, so that little looks like little; without it that is the largest value.
 */
export function curve(series: readonly number[], width: number, whole?: number): string {
  const values = series.slice(-width);
  return values.length < 2
    ? ''
    : sparkly(values, { minimum: 0, ...(whole === undefined ? {} : { maximum: Math.max(whole, ...values) }) });
}
