/** The jobs of the scheduler. */
import type { JobRun } from '../../domain/results/schedule.ts';
import type { RunningSchedule, ServiceContext } from '../../service/context.ts';
import type { Job } from '../../service/jobs/job.ts';
import type { Settings } from '../../settings/settings.ts';
import { BackupJob } from '../../service/jobs/backupJob.ts';
import { snapshotJob } from '../../service/jobs/snapshotJob.ts';
import { TrashJob } from '../../service/jobs/trashJob.ts';
import { TtlJob } from '../../service/jobs/ttlJob.ts';
import { findJob } from './scheduler.ts';

/** Returns the jobs. Backups are made if the settings name a place for them. */
export function makeJobs({ backups }: Pick<Settings, 'backups'>): readonly Job[] {
  const isOn = (backups.directory !== undefined || backups.s3 !== undefined) && backups.every !== 'never';
  return [new TrashJob(), new TtlJob(), snapshotJob, ...(isOn ? [new BackupJob(backups)] : [])];
}

/** Returns a schedule whose jobs run on another context, and leave nothing behind in those of the real one. */
export function rehearsedSchedule(real: RunningSchedule, context: () => ServiceContext): RunningSchedule {
  return {
    list: () => real.list(),
    async run(name): Promise<JobRun> {
      const job = findJob(makeJobs(context().settings), name);
      const text = await job.run(context(), { mayDelete: real.list().heldUntil === null });
      return { job: name, text: text ?? 'nothing to do' };
    },
  };
}
