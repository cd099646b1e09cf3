/** How often the use of CPU, memory and disk is measured. */

/** The pauses between two measurements, in milliseconds, and how often longer they are than a measurement. */
const watched = { least: 15_000, most: 60_000, times: 20 };
const unwatched = { least: 15_000, most: 360_000, times: 150 };

/**
 * Returns the pause after a measurement that took `costMs`, in milliseconds. Incus looks into every container for it:
 * 6.4 ms of a core for each (measured with 150). With nobody watching that stays below 1 % of a core.
 */
export function measuringPause(costMs: number, isWatched: boolean): number {
  const { least, most, times } = isWatched ? watched : unwatched;
  return Math.min(most, Math.max(least, costMs * times));
}
