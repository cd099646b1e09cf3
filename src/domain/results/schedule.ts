/** Results of the verbs about what the server does by itself. Times in RFC 3339 UTC. */

export type JobOutcome = 'ok' | 'failed';

/** One thing that the server does at times. */
export interface ScheduledJob {
  readonly name: string;
  readonly summary: string;
  /** When, as in crontab(5), in UTC. */
  readonly pattern: string;
  readonly next: string;
  /** When it ran last; null if it has never run. */
  readonly lastAt: string | null;
  readonly lastOutcome: JobOutcome | null;
  /** What it did, or why it failed. */
  readonly lastText: string | null;
  /** By how much the last run was late, because the server was down; 0 if it was not. */
  readonly lateMs: number;
}

export interface Schedule {
  readonly jobs: readonly ScheduledJob[];
  /** Until when nothing is deleted, because the clock has jumped or the host was down for long; null if it is. */
  readonly heldUntil: string | null;
}

export interface JobRun {
  readonly job: string;
  readonly text: string;
}
