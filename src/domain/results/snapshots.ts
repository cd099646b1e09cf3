/** Results of the verbs about snapshots. Sizes in bytes, times in RFC 3339 UTC. */
import type { SnapshotOrigin } from '../values/snapshotName.ts';

export interface Snapshot {
  readonly name: string;
  readonly origin: SnapshotOrigin;
  readonly createdAt: string;
  /** When Incus deletes it; null if never. */
  readonly expiresAt: string | null;
  /** Space that only this snapshot holds; null if the pool cannot tell. */
  readonly sizeBytes: number | null;
}

export interface SnapshotList {
  readonly user: string;
  readonly container: string;
  /** How often Incus makes one, and how long it keeps them; null if never. */
  readonly schedule: { readonly every: string; readonly keep: string | null } | null;
  /** The newest first. */
  readonly snapshots: readonly Snapshot[];
}

export interface SnapshotCreated {
  readonly user: string;
  readonly container: string;
  readonly snapshot: Snapshot;
  readonly operation: string;
}

export interface SnapshotDeleted {
  readonly user: string;
  readonly container: string;
  readonly name: string;
  readonly operation: string;
}

export interface SnapshotRenamed {
  readonly user: string;
  readonly container: string;
  readonly from: string;
  readonly to: string;
  readonly operation: string;
}

export interface SnapshotScheduled {
  readonly user: string;
  readonly container: string;
  readonly schedule: SnapshotList['schedule'];
  /** Whether the container follows the settings. */
  readonly isDefault: boolean;
  readonly operation: string;
}

export interface SnapshotRestored {
  readonly user: string;
  readonly container: string;
  /** The snapshot whose files the container has now. */
  readonly restored: string;
  /** The snapshot of its files before. */
  readonly before: string;
  readonly status: string;
  readonly connectionsEnded: boolean;
  readonly operation: string;
}
