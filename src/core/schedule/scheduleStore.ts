/** What the scheduler remembers across restarts: when each job is due, and how its last run went. */
import type { Low } from 'lowdb';
import * as z from 'zod';
import { openState } from '../../journal/jsonState.ts';

const run = z.object({
  at: z.iso.datetime(),
  outcome: z.enum(['ok', 'failed']),
  text: z.string(),
  lateMs: z.number().nonnegative(),
});

const schema = z.object({
  /** The time at which the server was last seen to run; null before the first start. */
  seenAt: z.iso.datetime().nullable(),
  /** How long the server must still run before anything is deleted by the clock, in milliseconds. */
  heldMs: z.number().nonnegative(),
  jobs: z.record(z.string(), z.object({ dueAt: z.iso.datetime(), last: run.nullable() })),
});

export type ScheduleState = z.output<typeof schema>;
export type LastRun = z.output<typeof run>;

export function openScheduleStore(path: string): Promise<Low<ScheduleState>> {
  return openState(path, schema, { seenAt: null, heldMs: 0, jobs: {} });
}
