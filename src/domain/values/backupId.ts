/** Ids of backups: the time, and the end of the operation that made it. They sort by time. */
import { timeName } from './snapshotName.ts';

const rule = /^\d{8}-\d{6}-[0-9a-z]{4}$/;

/** Reports whether `text` can be the id of a backup. */
export function isBackupId(text: string): boolean {
  return rule.test(text);
}

/** Returns the id of a backup that an operation makes: `20261129-174205-x7k2`. */
export function backupIdOf(time: Date, operation: string): string {
  return `${timeName(time)}-${operation.slice(-4).toLowerCase()}`;
}

/** How far ahead a clock may be without anybody's notice, in milliseconds. */
const slackMs = 5 * 60 * 1000;

/** Reports whether the time in an id has not come yet: the clock was wrong when that backup was made, or is now. */
export function isAhead(id: string, now: Date): boolean {
  return id > timeName(new Date(now.getTime() + slackMs));
}

/** Stands for the newest backup where an id is expected. */
export const latest = 'latest';
