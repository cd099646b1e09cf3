/** Checks the backups: where they are, and whether every container has one that is new enough. */
import { isAhead } from '../../domain/values/backupId.ts';
import { timeName } from '../../domain/values/snapshotName.ts';
import { dayMs } from '../../domain/values/duration.ts';
import { plural } from '../../domain/text.ts';
import { formatHuman } from '../../domain/values/size.ts';
import type { HostContext } from '../instances/context.ts';
import { findPlacement } from '../instances/placement.ts';
import { ownerOfInstance, provisioningOf } from '../instances/metadata.ts';
import { ok, problem, warning, type Outcome } from './outcome.ts';
import type { DoctorTools } from './tools.ts';

/** A longer list is not read. */
const maxNamed = 10;

export async function checkBackups(
  context: HostContext,
  tools: Pick<DoctorTools, 'diskOf'>,
  signal: AbortSignal,
): Promise<Outcome> {
  const { directory, s3, every } = context.settings.backups;
  if (directory === undefined && s3 === undefined)
    return warning(
      'there are none: no place for them is set, so a lost disk is a lost host',
      'set backups.directory or backups.s3 in the configuration',
    );
  // Both reject if a store does not answer.
  await context.backupAges.refresh(signal);
  const repository = await context.repository();
  await repository.requireWritable();
  const freeBytes = await repository.freeBytes();
  const neededBytes = context.backupAges.largestBytes;
  if (freeBytes !== undefined && freeBytes < neededBytes)
    return problem(
      `their folder has ${formatHuman(freeBytes)} free, and the largest backup takes ${formatHuman(neededBytes)}`,
      'free space there: "backup list" shows what could be deleted',
    );
  if (directory !== undefined && s3 === undefined && (await isOnPoolDisk(context, tools, directory, signal)))
    return warning(
      `${directory} is on the disk of the storage pool: both are lost together`,
      'set backups.directory to a folder on another disk, or backups.s3',
    );
  if (every === 'never') return ok('made by hand only (backups.every)');
  const { late, covered, total } = await coverage(context, signal);
  if (late.length === 0)
    return ok(
      covered === total
        ? 'every container has one that is new enough'
        : `${covered} of ${plural(total, 'container')} ${covered === 1 ? 'has' : 'have'} one; the others are younger than ${plural(allowedMs(context) / dayMs, 'day')}`,
    );
  const more = late.length > maxNamed ? ` and ${late.length - maxNamed} more` : '';
  return problem(
    `overdue for ${late.slice(0, maxNamed).join(', ')}${more}`,
    '"schedule run backups" makes them now; "schedule list" shows why the last run failed',
  );
}

/** Returns the users whose containers exist for long enough and have no backup that is new enough. */
export async function overdue(context: HostContext, signal?: AbortSignal): Promise<readonly string[]> {
  return (await coverage(context, signal)).late;
}

/** Returns how old a backup may be, and a container without one, in milliseconds. */
function allowedMs({ settings }: Pick<HostContext, 'settings'>): number {
  return 2 * (settings.backups.every === 'weekly' ? 7 * dayMs : dayMs);
}

interface Coverage {
  /** Users whose containers are overdue. */
  readonly late: readonly string[];
  /** Number of containers with a backup that is new enough. */
  readonly covered: number;
  readonly total: number;
}

async function coverage(context: HostContext, signal?: AbortSignal): Promise<Coverage> {
  const sinceMs = context.now().getTime() - allowedMs(context);
  const isOld = (time: string): boolean => Date.parse(time) < sinceMs;
  const containers = (await context.incus.instances(signal)).flatMap((instance) => {
    const user = ownerOfInstance(instance);
    if (user === undefined || provisioningOf(instance) !== 'ready') return [];
    const last = context.backupAges.of(instance.name);
    // One of a time that has not come says nothing about its age.
    const isCovered = last !== null && !isOld(last) && !isAhead(timeName(new Date(last)), context.now());
    return [{ user, isCovered, isLate: !isCovered && isOld(instance.created_at) }];
  });
  return {
    late: containers.flatMap(({ user, isLate }) => (isLate ? [user] : [])),
    covered: containers.filter(({ isCovered }) => isCovered).length,
    total: containers.length,
  };
}

async function isOnPoolDisk(
  context: HostContext,
  { diskOf }: Pick<DoctorTools, 'diskOf'>,
  directory: string,
  signal: AbortSignal,
): Promise<boolean> {
  if (context.host.simulated) return false;
  const { pool: name } = await findPlacement(context, signal);
  const pool = (await context.incus.pools(signal)).find((one) => one.name === name);
  const [own, theirs] = await Promise.all([diskOf(directory), diskOf(pool?.config['source'] ?? '')]);
  return own !== undefined && own === theirs;
}
