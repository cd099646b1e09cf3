/** What the verbs about backups share. */
import type { AgeIdentity } from '../../domain/values/age.ts';
import type { Backup } from '../../domain/results/backups.ts';
import { Failure } from '../../domain/failure.ts';
import { quoted } from '../../domain/text.ts';
import { containerName, type Username } from '../../domain/values/username.ts';
import { metadataPrefix, type IncusInstance } from '../../host/incus/documents.ts';
import { latest } from '../../domain/values/backupId.ts';
import type { Manifest, Verification } from '../../repository/manifest.ts';
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
  return {
    id,
    user,
    container,
    createdAt,
    createdBy,
    isEncrypted: encryption !== 'none',
    storedBytes: data.storedBytes + files.storedBytes,
    plainBytes: data.plainBytes,
    files: files.count,
    verifiedAt: verification?.verifiedAt ?? null,
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
    what: `backup ${quoted(id)}`,
    why: `the container of ${user} has none of this id`,
    next: `see "backup list ${user}"`,
  });
}

/** Returns the id of a backup, and that of the newest one that can be read for `latest`. Rejects with `not-found`. */
export async function idOf(repository: Repository, user: Username, wanted: string): Promise<string> {
  if (wanted !== latest) return wanted;
  const newest = (await repository.list(containerName(user))).find(({ manifest }) => manifest !== undefined);
  if (newest === undefined) throw noBackup(user, wanted);
  return newest.id;
}

/** Reads the manifest of a backup. Rejects with `not-found` or `backup-damaged`. */
export async function manifestOf(repository: Repository, user: Username, id: string): Promise<Manifest> {
  const name = { container: containerName(user), id };
  if (!(await repository.has(name))) throw noBackup(user, id);
  return repository.manifest(name);
}
