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
  /**
   * What this machine takes at the moment for next to nothing: where that alone is near the target, a miss says
   * nothing.
   */
  readonly floor?: number;
}

export function verdict({
  value,
  target,
  floor = 0,
}: Figure): 'reached' | 'NOT REACHED' | 'cannot be told' | undefined {
  if (target === undefined) return undefined;
  if (value <= target) return 'reached';
  return floor > target / 3 ? 'cannot be told' : 'NOT REACHED';
}

export function show(figure: Figure): string {
  const { what, value, unit, target } = figure;
  const judged = verdict(figure);
  const digits = value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2;
  const end =
    judged === undefined
      ? ''
      : `   target ${target} ${unit}: ${judged}${judged === 'cannot be told' ? ', the echo is as slow' : ''}`;
  return `  ${what.padEnd(58)} ${value.toFixed(digits).padStart(8)} ${unit.padEnd(6)}${end}`.trimEnd();
}
