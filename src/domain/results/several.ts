/** The result of one call that changes several containers, each by an operation of its own. */
import type { FailureData } from '../failure.ts';

export type Outcome<R> =
  | { readonly user: string; readonly ok: true; readonly result: R }
  | { readonly user: string; readonly ok: false; readonly error: FailureData & { readonly exitCode: number } };

export interface Several<R> {
  /** What happened to each container, in the order in which they were named or are listed. */
  readonly outcomes: readonly Outcome<R>[];
}

export function isSeveral<R>(result: R | Several<R>): result is Several<R> {
  return typeof result === 'object' && result !== null && 'outcomes' in result;
}
