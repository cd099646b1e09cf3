/** Names of snapshots. Their beginning tells who or what made them. */
import { Failure } from '../failure.ts';
import { quoted } from '../text.ts';

/** `manual`: an admin. `owner`: the owner at self@. `scheduled`: Incus's schedule. `restore`: before a restore. */
export const snapshotOrigins = ['manual', 'owner', 'scheduled', 'restore'] as const;
export type SnapshotOrigin = (typeof snapshotOrigins)[number];

/** How often Incus makes scheduled snapshots. */
export const snapshotFrequencies = ['hourly', 'daily', 'weekly', 'monthly', 'never'] as const;
export type SnapshotFrequency = (typeof snapshotFrequencies)[number];

export const snapshotPrefixes = {
  owner: 'own-',
  scheduled: 'auto-',
  restore: 'before-restore-',
} as const satisfies Partial<Record<SnapshotOrigin, string>>;

/** The names of scheduled snapshots, as Incus writes them (Pongo2 with Go's time format, `snapshots.pattern`). */
export const scheduledPattern = `${snapshotPrefixes.scheduled}{{ creation_date|date:"20060102-150405" }}`;

/** What Incus allows in a name, less what is awkward in a shell. ZFS allows the same. */
const rule = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/;
const maxSnapshotNameLength = 63;

/** Reports whether `text` can be the name of a snapshot. */
export function isSnapshotName(text: string): boolean {
  return text.length <= maxSnapshotNameLength && rule.test(text);
}

/** Checks the name of a new snapshot. Throws `usage`. */
export function parseNewSnapshotName(text: string): string {
  const prefix = Object.values(snapshotPrefixes).find((start) => text.startsWith(start));
  const why =
    prefix !== undefined
      ? `names that begin with "${prefix}" are given by the server`
      : isSnapshotName(text)
        ? undefined
        : `a name has 1 to ${maxSnapshotNameLength} letters, digits, dots, hyphens and underscores, and begins and ends with a letter or a digit`;
  if (why === undefined) return text;
  throw new Failure('usage', {
    what: `snapshot name ${quoted(text)}`,
    why,
    next: 'for example before-upgrade, or leave it out for the time',
  });
}

export function originOf(name: string): SnapshotOrigin {
  const found = Object.entries(snapshotPrefixes).find(([, prefix]) => name.startsWith(prefix));
  return found === undefined ? 'manual' : (found[0] as SnapshotOrigin);
}

/** Returns a name that sorts by time: `20261129-174205`, in UTC. */
export function timeName(time: Date): string {
  return time
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replaceAll(/[-:]/g, '')
    .replace('T', '-');
}

/** Returns the snapshot of this name. An owner may leave out what the server put before it. Throws `not-found`. */
export function snapshotNamed<T extends { readonly name: string }>(
  snapshots: readonly T[],
  wanted: string,
  user: string,
): T {
  const named = (name: string): T | undefined => snapshots.find((one) => one.name === name);
  const one = named(wanted) ?? named(`${snapshotPrefixes.owner}${wanted}`);
  if (one !== undefined) return one;
  throw new Failure('not-found', {
    what: `snapshot ${quoted(wanted)}`,
    why: `the container of ${user} has none of this name`,
    next: `see "snapshot list ${user}"`,
  });
}
