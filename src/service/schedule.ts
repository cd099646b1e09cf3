/** `schedule list` and `schedule run`. */
import type { JobRun, Schedule } from '../domain/results/schedule.ts';
import type { ServiceContext } from './context.ts';

export function listSchedule({ schedule }: ServiceContext): Promise<Schedule> {
  return Promise.resolve(schedule.list());
}

export function runJob({ schedule }: ServiceContext, { job }: { readonly job: string }): Promise<JobRun> {
  return schedule.run(job);
}
