/** A difference that `reconcile` has found, with its repair. */
import type { Difference } from './upkeep.ts';

export interface Found extends Omit<Difference, 'fixed'> {
  /** Absent if only a person can decide. May resolve to a warning. */
  readonly repair?: () => Promise<unknown>;
}
