/** Percentiles, and the table of measured figures with their targets. */

export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => percentile(values, 50);

export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** Maximum value that reaches the target. */
  readonly target?: number | undefined;
  /** The value of a trivial operation on this machine at the moment. If it is near the target, a miss means nothing. */
  readonly floor?: number;
}

export function verdict({ value, target, floor = 0 }: Figure): 'reached' | 'NOT REACHED' | 'undecided' | undefined {
  if (target === undefined) return undefined;
  if (value <= target) return 'reached';
  return floor > target / 3 ? 'undecided' : 'NOT REACHED';
}

export function show(figure: Figure): string {
  const { what, value, unit, target } = figure;
  const judged = verdict(figure);
  const digits = value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2;
  const end =
    judged === undefined
      ? ''
      : `   target ${target} ${unit}: ${judged}${judged === 'undecided' ? ', the echo is as slow' : ''}`;
  return `  ${what.padEnd(58)} ${value.toFixed(digits).padStart(8)} ${unit.padEnd(6)}${end}`.trimEnd();
}
