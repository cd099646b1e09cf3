/** Which backups are old enough to go: grandfather, father, son. */

/** How many days, weeks and months keep a backup each. */
export interface Keep {
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
}

export interface Dated {
  readonly id: string;
  /** Id of the backup on which it builds. */
  readonly base?: string | null;
  readonly createdAt: Date;
  readonly verifiedAt: Date | undefined;
}

const dayMs = 86_400_000;
/** 1970-01-05 was a Monday. */
const firstMondayMs = 4 * dayMs;

/** The periods, each with the name of the period of a time in UTC. Weeks begin on Monday. */
const periods: Readonly<Record<keyof Keep, (time: Date) => string>> = {
  daily: (time) => time.toISOString().slice(0, 10),
  weekly: (time) => String(Math.floor((time.getTime() - firstMondayMs) / (7 * dayMs))),
  monthly: (time) => time.toISOString().slice(0, 7),
};

/**
 * Returns the backups of one container that no rule keeps, the oldest first, and each after those that build on it.
 * What is kept needs what it builds on, so that is kept too. Each of the last days, weeks and months
 * that have a backup keeps its newest one. The newest backup stays, and so does the newest that was verified. A backup
 * whose time is after `now` stays too, and keeps no period: a clock was wrong.
 */
export function pruneList<B extends Dated>(backups: readonly B[], keep: Keep, now: Date): B[] {
  const newestFirst = backups.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
  const kept = new Set<B>(newestFirst.filter(({ createdAt }) => createdAt > now));
  const past = newestFirst.filter((backup) => !kept.has(backup));
  const [newest] = past;
  const verified = newestFirst.find(({ verifiedAt }) => verifiedAt !== undefined);
  for (const each of [newest, verified]) if (each !== undefined) kept.add(each);
  for (const [rule, periodOf] of Object.entries(periods) as [keyof Keep, (time: Date) => string][]) {
    const seen = new Set<string>();
    for (const backup of past) {
      const period = periodOf(backup.createdAt);
      if (seen.has(period)) continue;
      if (seen.size >= keep[rule]) break;
      seen.add(period);
      kept.add(backup);
    }
  }
  const needs = needed(newestFirst, kept);
  const pruned = newestFirst.filter((backup) => !needs.has(backup.id));
  return deletable(pruned.reverse());
}

/** Returns the ids of the kept backups and of all on which they build. */
function needed(backups: readonly Dated[], kept: ReadonlySet<Dated>): ReadonlySet<string> {
  const byId = new Map(backups.map((backup) => [backup.id, backup]));
  const ids = new Set<string>();
  for (const backup of kept)
    for (
      let each: Dated | undefined = backup;
      each !== undefined && !ids.has(each.id);
      each = byId.get(each.base ?? '')
    )
      ids.add(each.id);
  return ids;
}

/** Sorts backups so that each comes after those that build on it, and otherwise in their order. */
function deletable<B extends Dated>(backups: readonly B[]): B[] {
  const left = [...backups];
  const sorted: B[] = [];
  for (;;) {
    const at = left.findIndex(({ id }) => !left.some(({ base }) => base === id));
    // What builds on itself in a circle cannot be restored, and is left to a person.
    if (at < 0) return sorted;
    sorted.push(...left.splice(at, 1));
  }
}
