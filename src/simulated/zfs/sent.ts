/** The streams of the simulated `zfs send`: the record with which a real one begins, and then JSON. */
import * as z from 'zod';
import { headerBytes, parseHeader } from '../../host/zfs/streamHeader.ts';
import type { World } from '../program/answer.ts';
import { done, type Answer } from '../program/answer.ts';
import type { InstanceFiles } from '../state/state.ts';
import { datasetNamed, snapshotNamed, snapshotsOf, zfsRefusal } from './datasets.ts';

const file = z.object({ content: z.string(), mode: z.string(), uid: z.number(), gid: z.number() });

const content = z.object({
  /** The files that were changed or made, and the paths of those that were removed. */
  files: z.record(z.string(), file),
  removed: z.array(z.string()),
  prepared: z.boolean(),
  isCopy: z.boolean().default(false),
  trouble: z.string().optional(),
});

export interface Sent extends z.input<typeof content> {
  readonly guid: string;
  /** `0` for a full stream. */
  readonly fromGuid: string;
}

/** Returns a stream. */
export function streamOf({ guid, fromGuid, ...rest }: Sent): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeBigUInt64LE(0x2f5bacbacn, 8);
  header.writeBigUInt64LE(1n | (1n << 4n), 16);
  header.writeUInt32LE(2, 32);
  header.writeBigUInt64LE(BigInt(guid), 40);
  header.writeBigUInt64LE(BigInt(fromGuid), 48);
  return Buffer.concat([header, Buffer.from(JSON.stringify(rest))]);
}

/** Sends a snapshot, or what changed since a bookmark: `send [-i DATASET#BOOKMARK] DATASET@SNAPSHOT`. */
export function send(world: World, snapshotName: string, since: string | undefined): Buffer {
  const { instance, dataset, guid, files } = snapshotNamed(world, snapshotName);
  const { prepared, isCopy = false } = instance;
  const common = { guid, prepared, isCopy };
  if (since === undefined) return streamOf({ ...common, fromGuid: '0', files, removed: [] });
  const mark = dataset.bookmarks.find(({ name }) => since.endsWith(`#${name}`));
  // A copy of a real host lacks its bookmarks.
  const base = mark ?? (world.state.isCopy === true ? { guid: '1', files: {} } : undefined);
  if (base === undefined) throw zfsRefusal(`cannot open '${since}': dataset does not exist`);
  return streamOf({ ...common, fromGuid: base.guid, ...difference(base.files, files) });
}

function difference(before: InstanceFiles, after: InstanceFiles): Pick<Sent, 'files' | 'removed'> {
  const isSame = (path: string): boolean => JSON.stringify(before[path]) === JSON.stringify(after[path]);
  return {
    files: Object.fromEntries(Object.entries(after).filter(([path]) => !isSame(path))),
    removed: Object.keys(before).filter((path) => !Object.hasOwn(after, path)),
  };
}

/** Receives a stream: `receive -F DATASET@SNAPSHOT`. */
export function receive(world: World, target: string, stream: Buffer): Answer {
  const [path = '', name = ''] = target.split('@');
  const found = datasetNamed(world, path);
  const { instance, dataset } = found;
  if (stream.length <= headerBytes) throw zfsRefusal('cannot receive: failed to read from stream');
  const { guid, fromGuid } = parseHeader(stream);
  const present = snapshotsOf(found);
  if (fromGuid === '0' && present.length > 0)
    throw zfsRefusal(
      `cannot receive new filesystem stream: destination has snapshots (eg. ${path}@${present[0]?.name ?? ''})\nmust destroy them to overwrite it`,
    );
  if (fromGuid !== '0' && present.at(-1)?.guid !== fromGuid)
    throw zfsRefusal(
      `cannot receive incremental stream: most recent snapshot of ${path} does not\nmatch incremental source`,
    );
  const { files, removed, prepared, isCopy, trouble } = parsed(stream);
  const kept = fromGuid === '0' ? [] : Object.entries(instance.files).filter(([file]) => !removed.includes(file));
  Object.assign(instance, {
    files: { ...Object.fromEntries(kept), ...files },
    prepared,
    ...(isCopy ? { isCopy } : {}),
  });
  if (trouble !== undefined) dataset.trouble = trouble;
  dataset.received.push({ name, guid });
  return done();
}

function parsed(stream: Buffer): z.output<typeof content> {
  try {
    return content.parse(JSON.parse(stream.subarray(headerBytes).toString()));
  } catch {
    throw zfsRefusal('cannot receive new filesystem stream: incomplete stream');
  }
}
