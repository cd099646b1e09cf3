/**
 * Makes a stopped instance of a backup, in the same way for a restore and for a verification. One of an export is made
 * by Incus. One of ZFS begins as an empty instance, whose dataset receives the stream of the full backup and of each
 * that builds on it.
 *
 * An attacker who can write to the store can write the streams. Only plain streams of one file system pass, with the
 * guids that the manifests name, and what Incus opens by name in the dataset is examined before Incus sees it.
 */
import { Readable } from 'node:stream';
import { presentCancellation } from '../../domain/cancellation.ts';
import type { AgeIdentity } from '../../domain/values/age.ts';
import { Failure } from '../../domain/failure.ts';
import { formatHuman } from '../../domain/values/size.ts';
import { checkedHeader } from '../../host/zfs/streamHeader.ts';
import { damaged, type Manifest, type ZfsManifest } from '../../repository/manifest.ts';
import type { Repository } from '../../repository/repository.ts';
import type { HostContext } from '../instances/context.ts';
import type { Placement } from '../instances/placement.ts';
import { datasetFor } from './datasets.ts';
import { requireNetworks } from './networks.ts';

/** A backup that can be read. */
export interface Readied {
  readonly repository: Repository;
  readonly manifest: Manifest;
  readonly identity: AgeIdentity | undefined;
  /** The backups whose data are read, in this order. The last one is the backup itself. */
  readonly chain: readonly Manifest[];
}

/** Checks that a backup and those on which it builds can be read. */
export async function readyBackup(
  context: Pick<HostContext, 'incus'>,
  repository: Repository,
  manifest: Manifest,
  identity: AgeIdentity | undefined,
): Promise<Readied> {
  const chain = manifest.version === 2 ? await repository.chain(manifest) : [manifest];
  for (const each of chain) repository.requireIdentity(each, identity);
  if (manifest.version === 1) await requireNetworks(context, manifest);
  return { repository, manifest, identity, chain };
}

/** Refuses a pool that has no room for the container of a backup, or cannot have it. */
export async function requirePool(
  context: Pick<HostContext, 'incus'>,
  { pool }: Pick<Placement, 'pool'>,
  { manifest, chain }: Pick<Readied, 'manifest' | 'chain'>,
): Promise<void> {
  const { id, version } = manifest;
  if (version === 2 && (await datasetFor(context, 'any', pool)) === undefined)
    throw new Failure('settings', {
      what: `backup ${id}`,
      why: `ZFS has sent it, and pool "${pool}" is not ZFS`,
      next: 'restore it where the pool is ZFS (incus.pool in the configuration), or receive its download on any machine with ZFS (docs/verbs/backup-download.md)',
    });
  const { usedBytes, totalBytes } = await context.incus.poolSpace(pool);
  const freeBytes = totalBytes - usedBytes;
  const neededBytes = chain.reduce((sum, { data }) => sum + data.plainBytes, 0);
  if (totalBytes === 0 || freeBytes >= neededBytes) return;
  throw new Failure('no-space', {
    what: `backup ${id}`,
    why: `pool "${pool}" has ${formatHuman(freeBytes)} free, and the backup has ${formatHuman(neededBytes)}`,
    next: 'free space in the pool: "list --sort disk" shows the largest containers',
  });
}

/** Where the instance of a backup is made. Its name ends with the id of the operation. */
export interface Made {
  readonly name: string;
  readonly pool: string;
  readonly operation: string;
}

/** Makes the instance. The step around it has the facts of {@link importFacts}. */
export async function makeInstance(context: HostContext, made: Made, readied: Readied): Promise<void> {
  const { repository, manifest, identity } = readied;
  const { name, pool } = made;
  const { limitMs: timeoutMs } = context.settings.backups;
  if (manifest.version === 2) return receive(context, made, readied, manifest);
  const source = await repository.data(manifest, identity, presentCancellation());
  await context.streams.createFromBackup({ name, pool, source, timeoutMs });
}

/** Returns the facts of a step that makes an instance of a backup. */
export function importFacts({ name, operation }: Omit<Made, 'pool'>, { version }: Manifest) {
  return { instance: name, operation, ...(version === 2 ? { receives: true } : {}) };
}

async function receive(
  context: HostContext,
  { name, pool, operation }: Made,
  { repository, identity, chain }: Readied,
  manifest: ZfsManifest,
): Promise<void> {
  const { incus, settings, zfs } = context;
  const dataset = await datasetFor(context, name, pool);
  if (dataset === undefined) throw new Failure('settings', { what: `pool "${pool}"`, why: 'it is not ZFS' });
  await incus.createEmpty(name, {
    config: { 'boot.autostart': 'false' },
    devices: { root: { type: 'disk', path: '/', pool } },
  });
  const work = { operation, timeoutMs: settings.backups.limitMs };
  let received = '';
  let before = '0';
  for (const [index, part] of chain.entries()) {
    if (part.version !== 2) throw damaged(manifest, `it builds on backup ${part.id}, which is no stream of ZFS`);
    received = `containarium-${index}`;
    const wanted = { guid: part.guid, fromGuid: before };
    const source = expected(part, wanted, await repository.data(part, identity, presentCancellation()));
    await zfs.receive(dataset, received, source, work);
    if ((await zfs.guid(dataset, received)) !== part.guid)
      throw damaged(part, 'ZFS received another snapshot than that of the backup');
    before = part.guid;
  }
  const trouble = await zfs.volumeTrouble(dataset, received, operation);
  if (trouble !== undefined) throw damaged(manifest, `its folder is not that of a container: ${trouble}`);
  await zfs.deleteSnapshots(dataset, operation);
  if (manifest.idmap !== null) await incus.patch(name, { config: { 'volatile.last_state.idmap': manifest.idmap } });
}

/** Passes a stream on if it is that of this backup. */
function expected(part: ZfsManifest, wanted: { readonly guid: string; readonly fromGuid: string }, source: Readable) {
  const passed = async function* (): AsyncGenerator<Buffer> {
    try {
      yield* checkedHeader(source, ({ guid, fromGuid }) => {
        if (guid !== wanted.guid || fromGuid !== wanted.fromGuid)
          throw new Error('the stream is that of another snapshot, or builds on another');
      });
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw damaged(part, error instanceof Error ? error.message : String(error), error);
    }
  };
  return Readable.from(passed(), { objectMode: false });
}
