/** The jobs of the scheduler. */
import type { JobRun } from '../../domain/results/schedule.ts';
import type { RunningSchedule, ServiceContext } from '../../service/context.ts';
import type { Job } from '../../service/jobs/job.ts';
import type { Settings } from '../../settings/settings.ts';
import { AlertJob } from '../../service/jobs/alertJob.ts';
import { BackupJob } from '../../service/jobs/backupJob.ts';
import { imageJob } from '../../service/jobs/imageJob.ts';
import { anchorJob, archiveJob, journalJob } from '../../service/jobs/journalJobs.ts';
import { ReportJob } from '../../service/jobs/reportJob.ts';
import { scrubJob } from '../../service/jobs/scrubJob.ts';
import { snapshotJob } from '../../service/jobs/snapshotJob.ts';
import { TrashJob } from '../../service/jobs/trashJob.ts';
import { TtlJob } from '../../service/jobs/ttlJob.ts';
import { findJob } from './scheduler.ts';

type JobSettings = Pick<Settings, 'backups' | 'alerts' | 'report' | 'journal' | 'image' | 'incus'>;

/** Returns the jobs. What the settings turn off, or name no place for, has none. */
export function makeJobs({ backups, alerts, report, journal, image, incus }: JobSettings): readonly Job[] {
  const makesBackups = (backups.directory !== undefined || backups.s3 !== undefined) && backups.every !== 'never';
  const sendsReports = (alerts.mail.length > 0 || alerts.webhook !== undefined) && report.every !== 'never';
  const { file, url, syslog } = journal.anchor;
  return [
    new TrashJob(),
    new TtlJob(),
    snapshotJob,
    ...(makesBackups ? [new BackupJob(backups)] : []),
    ...(image.rebuildDays === 0 ? [] : [imageJob]),
    ...(incus.scrub === 'never' ? [] : [scrubJob]),
    journalJob,
    archiveJob,
    ...(file !== undefined || url !== undefined || syslog ? [anchorJob] : []),
    new AlertJob(),
    ...(sendsReports ? [new ReportJob(report)] : []),
  ];
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
