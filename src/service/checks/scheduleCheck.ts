/** Checks what the server does by itself. */
import type { Schedule } from '../../domain/results/schedule.ts';
import { ok, warning, type Outcome } from './outcome.ts';

export function checkSchedule({ jobs, heldUntil }: Schedule): Outcome {
  const failed = jobs.filter(({ lastOutcome }) => lastOutcome === 'failed');
  if (failed.length > 0)
    return warning(
      failed.map(({ name, lastText }) => `the job "${name}" failed: ${lastText ?? ''}`).join('; '),
      `"schedule run ${failed[0]?.name ?? ''}" tries again`,
    );
  if (heldUntil !== null)
    return warning(
      `the clock has jumped, or the host was down for long: nothing is deleted by the clock until ${heldUntil}`,
      '"schedule list" shows what is due; check the clock of the host (timedatectl)',
    );
  return ok(`${jobs.length} jobs, none failed`);
}
