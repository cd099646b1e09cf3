/** Results of the verbs about backups. Sizes in bytes, times in RFC 3339 UTC. */

export interface Backup {
  readonly id: string;
  readonly user: string;
  readonly container: string;
  readonly createdAt: string;
  readonly createdBy: string;
  /** Whether it is encrypted, so that this host cannot read it. */
  readonly isEncrypted: boolean;
  /** What its data are: an archive of Incus, or a stream of `zfs send`. */
  readonly format: 'export' | 'zfs';
  /** Id of the backup on which it builds, without which it cannot be restored; null for a full one. */
  readonly base: string | null;
  /** What it takes in each store. */
  readonly storedBytes: number;
  /** What Incus exported, or ZFS sent. */
  readonly plainBytes: number;
  readonly files: number;
  /** When it was last restored for a test; null if never. */
  readonly verifiedAt: string | null;
}

export interface ListedBackup {
  readonly id: string;
  readonly user: string;
  readonly container: string;
  /** Null if its manifest cannot be read. */
  readonly backup: Backup | null;
  /** Why it is damaged, as a clause; null if nothing is known against it. */
  readonly trouble: string | null;
  /** Where it is: `directory`, `s3`. */
  readonly stores: readonly string[];
}

export interface BackupList {
  /** Null for all containers. */
  readonly user: string | null;
  /** The newest first. */
  readonly backups: readonly ListedBackup[];
}

export interface BackupCreated {
  readonly user: string;
  readonly container: string;
  readonly backup: Backup;
  readonly operation: string;
}

export interface BackupDeleted {
  readonly user: string;
  readonly container: string;
  readonly id: string;
  readonly freedBytes: number;
  readonly operation: string;
}

export interface BackupVerified {
  readonly user: string;
  readonly container: string;
  readonly id: string;
  readonly verifiedAt: string;
  /** Files whose contents were compared. */
  readonly compared: number;
  /** Files that the boot itself had changed, and that were not compared. */
  readonly changedByBoot: number;
  readonly operation: string;
}

export interface BackupRestored {
  readonly user: string;
  readonly container: string;
  readonly id: string;
  /** The snapshot of the container that was there before; null if there was none. */
  readonly before: string | null;
  readonly status: string;
  readonly connectionsEnded: boolean;
  readonly operation: string;
}

export interface HostRebuilt {
  /** Users whose containers were made again. */
  readonly restored: readonly string[];
  /** Users with a backup whose containers are there. */
  readonly present: readonly string[];
  /** Users whose containers were left alone because they seem to have been deleted before; naming them makes them. */
  readonly left: readonly { readonly user: string; readonly why: string }[];
  readonly failed: readonly { readonly user: string; readonly code: string; readonly why: string }[];
}

export interface BackupDownloaded {
  readonly user: string;
  readonly container: string;
  readonly id: string;
  /** Number of bytes that were sent. */
  readonly bytes: number;
  /** Whether they are the archive of Incus, and not what is stored. */
  readonly isPlain: boolean;
}
