/** The outcome of one check of `doctor`. */
import type { Check } from '../../domain/results/upkeep.ts';

export type Outcome = Omit<Check, 'name'>;

export const ok = (detail: string): Outcome => ({ severity: 'ok', detail, next: null });
export const warning = (detail: string, next: string | null = null): Outcome => ({ severity: 'warning', detail, next });
export const problem = (detail: string, next: string | null = null): Outcome => ({ severity: 'problem', detail, next });
