/** Percentiles, the table of what was measured, and the targets. */

export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => percentile(values, 50);

export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** Reached where the value is not above it. */
  readonly target?: number | undefined;
}

export function show({ what, value, unit, target }: Figure): string {
  const verdict = target === undefined ? '' : `   target ${target} ${unit}: ${value <= target ? 'reached' : 'NOT REACHED'}`;
  const digits = value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2;
  return `  ${what.padEnd(58)} ${value.toFixed(digits).padStart(8)} ${unit.padEnd(6)}${verdict}`.trimEnd();
}
