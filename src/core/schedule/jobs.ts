/** The jobs of the scheduler. */
import type { JobRun } from '../../domain/results/schedule.ts';
import type { RunningSchedule, ServiceContext } from '../../service/context.ts';
import type { Job } from '../../service/jobs/job.ts';
import { snapshotJob } from '../../service/jobs/snapshotJob.ts';
import { TrashJob } from '../../service/jobs/trashJob.ts';
import { TtlJob } from '../../service/jobs/ttlJob.ts';
import { findJob } from './scheduler.ts';

export function makeJobs(): readonly Job[] {
  return [new TrashJob(), new TtlJob(), snapshotJob];
}

/** Returns a schedule whose jobs run on another context, and leave nothing behind in those of the real one. */
export function rehearsedSchedule(real: RunningSchedule, context: () => ServiceContext): RunningSchedule {
  return {
    list: () => real.list(),
    async run(name): Promise<JobRun> {
      const job = findJob(makeJobs(), name);
      const text = await job.run(context(), { mayDelete: real.list().heldUntil === null });
      return { job: name, text: text ?? 'nothing to do' };
    },
  };
}
