/**
 * Makes a backup with `zfs send`: of a snapshot, and only what changed since the backup before it if ZFS still knows
 * that. The container runs on, and its disk needs no room for a copy.
 */
import { within } from '../../domain/cancellation.ts';
import { Failure } from '../../domain/failure.ts';
import { formatHuman } from '../../domain/values/size.ts';
import type { Username } from '../../domain/values/username.ts';
import { countOf } from '../../host/zfs/zfs.ts';
import type { Running } from '../../journal/operations.ts';
import type { Manifest } from '../../repository/manifest.ts';
import type { Repository, ZfsAbout } from '../../repository/repository.ts';
import type { HostContext } from '../instances/context.ts';
import type { Stages } from '../instances/stages.ts';
import { bookmarkOf, findBases, type Bases } from './bases.ts';

/** Incus deletes the snapshot by itself after this time, in milliseconds, in case this server does not. */
const snapshotExpiryMs = 48 * 3_600_000;

export interface Sending extends Bases {
  readonly dataset: string;
}

export async function planSending(
  context: HostContext,
  repository: Repository,
  of: { readonly user: Username; readonly container: string; readonly dataset: string },
): Promise<Sending> {
  return { dataset: of.dataset, ...(await findBases(context, repository, of)) };
}

/** Makes and stores the backup, as steps of an operation. */
export async function sendBackup(
  context: HostContext,
  operation: Running,
  repository: Repository,
  { dataset, base, stale }: Sending,
  about: Omit<ZfsAbout, 'guid' | 'base'>,
  stages: Stages,
): Promise<Manifest | undefined> {
  const { incus, steps, zfs, now } = context;
  const { container: instance, id } = about;
  await deleteStale(context, operation, dataset, stale);
  const snapshot = `containarium-${operation.id.toLowerCase()}`;
  await stages.stage('Making a snapshot', () =>
    operation.step(steps.snapshotForBackup, { instance, snapshot, operation: operation.id }, () =>
      incus.snapshots.create(instance, snapshot, new Date(now().getTime() + snapshotExpiryMs)),
    ),
  );
  // The name that Incus gives it in ZFS.
  const sent = {
    dataset,
    snapshot: `snapshot-${snapshot}`,
    since: base === undefined ? undefined : bookmarkOf(base.id),
  };
  const guid = await zfs.guid(dataset, sent.snapshot);
  await requireStoreRoom(repository, instance, await zfs.sendBytes(sent));
  let manifest: Manifest | undefined;
  await stages.stage('Storing backup', async () => {
    const bookmark = bookmarkOf(id);
    await operation.step(steps.bookmarkSnapshot, { instance, dataset, bookmark, operation: operation.id }, () =>
      zfs.bookmark(dataset, sent.snapshot, bookmark, operation.id),
    );
    manifest = await operation.step(steps.storeBackup, { container: instance, id }, () =>
      store(context, operation, repository, sent, { ...about, guid, base: base?.id ?? null }),
    );
    return base === undefined ? 'a full one' : `what changed since ${base.id}`;
  });
  return manifest;
}

async function store(
  { settings, zfs, now }: HostContext,
  operation: Running,
  repository: Repository,
  sent: { readonly dataset: string; readonly snapshot: string; readonly since: string | undefined },
  about: ZfsAbout,
): Promise<Manifest> {
  const { limitMs: timeoutMs } = settings.backups;
  const signal = within(timeoutMs);
  const work = { operation: operation.id, timeoutMs };
  const list = zfs.files(sent.dataset, sent.snapshot, work);
  const { output: data } = zfs.send(sent, work);
  const { container, base } = about;
  const confirm = async (): Promise<void> => {
    if (base === null || (await repository.has({ container, id: base }))) return;
    throw new Failure('store-unavailable', {
      what: `backup ${base}, on which the new one builds`,
      why: 'it disappeared meanwhile',
      next: 'try again: the next one will be a full one',
    });
  };
  const parts = { data, files: list.output, count: () => countOf(list), confirm };
  return repository.writeZfs(about, parts, { now, signal });
}

/** Refuses a backup for which the place has no room. */
async function requireStoreRoom(repository: Repository, container: string, neededBytes: number): Promise<void> {
  const freeBytes = await repository.freeBytes();
  if (freeBytes === undefined || freeBytes >= neededBytes) return;
  throw new Failure('no-space', {
    what: `a backup of container "${container}"`,
    why: `the folder for backups has ${formatHuman(freeBytes)} free, and it may take ${formatHuman(neededBytes)}`,
    next: 'free space there: "backup list" shows what could be deleted',
  });
}

/** Deletes bookmarks that are of no use. Never rejects: they hold no space. */
async function deleteStale(
  { zfs, log }: HostContext,
  { id }: Running,
  dataset: string,
  stale: readonly string[],
): Promise<void> {
  for (const bookmark of stale)
    await zfs.deleteBookmark(dataset, bookmark, id).catch((error: unknown) => {
      log.warn({ bookmark, failure: Failure.from(error).toData() }, 'an old bookmark could not be deleted');
    });
}
