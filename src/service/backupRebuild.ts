/** `backup rebuild`: makes every container again that has a backup and is gone, as on a new host. */
import type { AgeIdentity } from '../domain/values/age.ts';
import type { HostRebuilt } from '../domain/results/backups.ts';
import { Failure } from '../domain/failure.ts';
import { isAhead } from '../domain/values/backupId.ts';
import { dayMs } from '../domain/values/duration.ts';
import { ownerOf, type Username } from '../domain/values/username.ts';
import { newestFirst } from '../repository/newest.ts';
import type { KeptBackup } from '../repository/repository.ts';
import { restoreBackup } from './backupRestore.ts';
import type { Call, HostContext } from './instances/context.ts';
import { trashedAmong } from './trash/record.ts';

/**
 * How much older than the newest of all a container's newest backup may be, in milliseconds, and still be that of a
 * container that existed at the end: two weekly backups.
 */
const maxLagMs = 14 * dayMs;

interface Candidate {
  readonly user: Username;
  readonly backup: KeptBackup;
}

export async function rebuildHost(
  context: HostContext,
  { users = [], identity }: { readonly users?: readonly Username[]; readonly identity?: AgeIdentity | undefined },
  call: Call,
): Promise<HostRebuilt> {
  const repository = await context.repository();
  const [kept, instances] = await Promise.all([repository.list(), context.incus.instances()]);
  const backups = newestFirst(kept, context.now());
  const candidates = newestOf(backups).filter(({ user }) => users.length === 0 || users.includes(user));
  for (const { user, backup } of candidates) {
    const newest = backups.find(({ container }) => container === backup.container);
    if (newest !== undefined && newest.id !== backup.id)
      call.progress.note(`${user}: the newest backup, ${newest.id}, is damaged: ${newest.trouble ?? ''}`);
  }
  const present = new Set(instances.map(({ name }) => name));
  const trashed = new Set<string>(trashedAmong(instances).map(({ record }) => record.user));
  const past = candidates.filter(({ backup }) => !isAhead(backup.id, context.now()));
  const lastMs = Math.max(...past.map(({ backup }) => madeAtMs(backup)));
  const result = {
    restored: [] as string[],
    present: [] as string[],
    left: [] as HostRebuilt['left'][number][],
    failed: [] as HostRebuilt['failed'][number][],
  };
  for (const { user, backup } of candidates) {
    const { container, id, manifest, trouble } = backup;
    const isNamed = users.includes(user);
    if (present.has(container)) result.present.push(user);
    else if (manifest === undefined || trouble !== undefined)
      result.failed.push({ user, code: 'backup-damaged', why: trouble ?? '' });
    else if (!isNamed && trashed.has(user)) result.left.push({ user, why: 'it is in the trash' });
    else if (!isNamed && lastMs - madeAtMs(backup) > maxLagMs)
      result.left.push({ user, why: `its newest backup is of ${manifest.createdAt}, long before the others` });
    else await restoreOne(context, { user, backup: id, identity }, call, result);
  }
  for (const user of users)
    if (!candidates.some((candidate) => candidate.user === user))
      result.failed.push({ user, code: 'not-found', why: 'there is no backup of this user' });
  return result;
}

/** Returns the newest good backup of each container, and one that is damaged where there is no other. */
function newestOf(backups: readonly KeptBackup[]): Candidate[] {
  const newest = new Map<Username, KeptBackup>();
  // The newest comes first.
  for (const backup of backups) {
    const user = ownerOf(backup.container);
    const known = user === undefined ? undefined : newest.get(user);
    if (user !== undefined && (known === undefined || (known.trouble !== undefined && backup.trouble === undefined)))
      newest.set(user, backup);
  }
  return [...newest].map(([user, backup]) => ({ user, backup })).sort((a, b) => (a.user < b.user ? -1 : 1));
}

function madeAtMs({ manifest }: KeptBackup): number {
  return manifest === undefined ? 0 : Date.parse(manifest.createdAt);
}

async function restoreOne(
  context: HostContext,
  request: { readonly user: Username; readonly backup: string; readonly identity: AgeIdentity | undefined },
  call: Call,
  result: { readonly restored: string[]; readonly failed: HostRebuilt['failed'][number][] },
): Promise<void> {
  const { user, backup } = request;
  call.progress.note(`${user}: backup ${backup}`);
  try {
    await restoreBackup(context, request, { ...call, recorded: { user, backup } });
    result.restored.push(user);
  } catch (error) {
    const { code, what, why, next } = Failure.from(error);
    result.failed.push({ user, code, why: `${what}: ${why}${next === undefined ? '' : `; ${next}`}` });
  }
}
