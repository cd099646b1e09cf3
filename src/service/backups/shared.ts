/** What the verbs about backups share. */
import type { AgeIdentity } from '../../domain/values/age.ts';
import type { Backup } from '../../domain/results/backups.ts';
import { Failure } from '../../domain/failure.ts';
import { quoted } from '../../domain/text.ts';
import { containerName, type Username } from '../../domain/values/username.ts';
import { metadataPrefix, type IncusInstance } from '../../host/incus/documents.ts';
import { latest } from '../../domain/values/backupId.ts';
import { verifiedAt, type Manifest, type Verification } from '../../repository/manifest.ts';
import { newestFirst } from '../../repository/newest.ts';
import type { Repository } from '../../repository/repository.ts';

/** The beginnings of keys that Incus keeps for itself, that may hold secrets, or that reach around its checks. */
const left = ['volatile.', 'environment.', 'cloud-init.', 'user.', 'raw.'];

/** Returns the part of an instance's configuration that a manifest has. */
export function keptConfig({ config }: Pick<IncusInstance, 'config'>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(config).filter(
      ([key]) => key.startsWith(metadataPrefix) || !left.some((prefix) => key.startsWith(prefix)),
    ),
  );
}

export function toBackup(manifest: Manifest, verification: Verification | undefined): Backup {
  const { id, user, container, createdAt, createdBy, encryption, data, files } = manifest;
  const isSent = manifest.version === 2;
  return {
    id,
    user,
    container,
    createdAt,
    createdBy,
    isEncrypted: encryption !== 'none',
    format: isSent ? 'zfs' : 'export',
    base: isSent ? manifest.base : null,
    storedBytes: data.storedBytes + files.storedBytes,
    plainBytes: data.plainBytes,
    files: files.count,
    verifiedAt: verifiedAt(verification) ?? null,
  };
}

/** A backup, and what reads it. */
export interface BackupRequest {
  readonly user: Username;
  /** An id, or `latest`. */
  readonly backup: string;
  /** For an encrypted one. */
  readonly identity?: AgeIdentity | undefined;
}

/** Returns the target of an operation that needs a backup to stay, but not its container. */
export function backupTarget(user: Username, id: string): string {
  return `${user}/${id}`;
}

export function noBackup(user: Username, id: string): Failure {
  return new Failure('not-found', {
    what: id === latest ? `backup of ${user}` : `backup ${quoted(id)}`,
    why: id === latest ? 'there is none' : `the container of ${user} has no backup with this id`,
    next: `see "backup list ${user}"`,
  });
}

/**
 * Returns the id of a backup, and that of the newest one for `latest`. Rejects with `not-found`, and with
 * `backup-damaged` if the newest one is known to be damaged: an older one is a choice for a person.
 */
export async function idOf(repository: Repository, user: Username, wanted: string, now: Date): Promise<string> {
  if (wanted !== latest) return wanted;
  const [newest, ...older] = newestFirst(await repository.list(containerName(user)), now);
  if (newest === undefined) throw noBackup(user, wanted);
  if (newest.trouble === undefined) return newest.id;
  const good = older.find(({ trouble }) => trouble === undefined);
  throw new Failure('backup-damaged', {
    what: `the newest backup of ${user}, ${newest.id},`,
    why: newest.trouble,
    next: good === undefined ? `see "backup list ${user}"` : `the one before it is ${good.id}: name it to use it`,
  });
}

/** Reads the manifest of a backup. Rejects with `not-found` or `backup-damaged`. */
export async function manifestOf(repository: Repository, user: Username, id: string): Promise<Manifest> {
  const name = { container: containerName(user), id };
  if (!(await repository.has(name))) throw noBackup(user, id);
  return repository.manifest(name);
}
