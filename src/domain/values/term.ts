/** A stretch of time by the wall clock that was measured from its beginning, as opposed to a date that was named. */
export interface Term {
  readonly atMs: number;
  readonly untilMs: number;
}

/**
 * Returns the term as the clock says now. If its beginning lies ahead, the clock was set back, and the term begins now:
 * what was to last for seconds would otherwise last until the clock is where it was.
 */
export function currentTerm<T extends Term>(term: T, nowMs: number): T {
  return term.atMs > nowMs ? { ...term, atMs: nowMs, untilMs: nowMs + term.untilMs - term.atMs } : term;
}
