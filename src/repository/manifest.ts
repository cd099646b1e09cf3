/**
 * The manifest of a backup. Who can write to the store can write anything there, so it is read with bounds, and names
 * are compared with those of its place before they name anything.
 */
import * as z from 'zod';
import { check, misfitText } from '../domain/check.ts';
import { Failure } from '../domain/failure.ts';
import { isBackupId } from '../domain/values/backupId.ts';
import type { BackupName } from './layout.ts';

export const maxManifestBytes = 1024 * 1024;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const byteCount = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const shortText = z.string().max(200);
const configMap = z.record(z.string().max(200), z.string().max(100_000));

/** A stream, as it was made and as it is stored. */
const stored = z.object({ plainBytes: byteCount, plainSha256: sha256, storedBytes: byteCount, storedSha256: sha256 });

/** What every backup has. */
const common = {
  id: shortText,
  user: shortText,
  container: shortText,
  createdAt: z.iso.datetime(),
  createdBy: shortText.default(''),
  /** How long it took, in milliseconds. */
  tookMs: byteCount.default(0),
  incusVersion: shortText.default(''),
  compression: z.literal('zstd'),
  encryption: z.enum(['none', 'age']),
  /** The configuration of the instance, without what Incus keeps there and without secrets. */
  config: configMap,
  devices: z.record(z.string().max(200), configMap),
  data: stored,
  files: stored.extend({
    /** Number of files in the list. */
    count: byteCount,
    /** Number of files that had no room in it. */
    omitted: byteCount.default(0),
  }),
};

/** A backup whose data are an archive that Incus has exported. */
const exportManifest = z.object({ version: z.literal(1), ...common });

/**
 * A backup whose data are a stream of `zfs send`. It has a version of its own, so that programs that know only exports
 * refuse it.
 */
const zfsManifest = z.object({
  version: z.literal(2),
  format: z.literal('zfs'),
  ...common,
  /** Guid of the snapshot, by which ZFS recognizes it. */
  guid: z.string().regex(/^[1-9]\d{0,19}$/),
  /** Id of the backup of the same container on which the stream builds; null for a full one. */
  base: z.string().refine(isBackupId).nullable(),
  /** The user ids that the files have on disk, as Incus writes them (`volatile.last_state.idmap`); null if unknown. */
  idmap: z.string().max(100_000).nullable(),
  /** Checksum of the recipients; null if it is not encrypted. An increment has those of its base. */
  recipientsSha256: sha256.nullable(),
});

const manifest = z.discriminatedUnion('version', [exportManifest, zfsManifest]);

export type ExportManifest = z.infer<typeof exportManifest>;
export type ZfsManifest = z.infer<typeof zfsManifest>;
export type Manifest = ExportManifest | ZfsManifest;
export type StoredStream = z.infer<typeof stored>;

/** What the last verification found. */
const verification = z.union([
  z.object({
    verifiedAt: z.iso.datetime(),
    /** Files whose contents were compared, and those left out because the boot had changed them. */
    compared: byteCount,
    changedByBoot: byteCount.default(0),
  }),
  z.object({
    failedAt: z.iso.datetime(),
    /** What was wrong, as a clause. */
    why: z.string().max(2000),
  }),
]);

export type Verification = z.infer<typeof verification>;

/** Returns when a backup was verified, if that succeeded. */
export function verifiedAt(found: Verification | undefined): string | undefined {
  return found !== undefined && 'verifiedAt' in found ? found.verifiedAt : undefined;
}

export function damaged({ container, id }: BackupName, why: string, cause?: unknown): Failure {
  return new Failure(
    'backup-damaged',
    { what: `backup ${id} of ${container}`, why, next: `"backup list" shows others`, details: { backup: id } },
    cause,
  );
}

function parse<T>(schema: z.ZodType<T>, name: BackupName, file: string, text: string): T {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw damaged(name, `its ${file} is not JSON`, error);
  }
  const checked = check(schema, document);
  if (checked.misfit === undefined) return checked.value;
  throw damaged(name, `its ${file} is not valid: ${misfitText(checked.misfit, 'the document')}`);
}

/** Parses the manifest of this backup. Throws `backup-damaged`. */
export function parseManifest(name: BackupName, text: string): Manifest {
  const found = parse(manifest, name, 'manifest', text);
  // Otherwise a backup could be taken for one of another container.
  const isAtItsPlace =
    found.id === name.id && found.container === name.container && `${found.user}-container` === name.container;
  if (!isAtItsPlace) throw damaged(name, 'its manifest is that of another backup');
  return found;
}

export function parseVerification(name: BackupName, text: string): Verification {
  return parse(verification, name, 'verification', text);
}
