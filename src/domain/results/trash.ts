/** Results of the verbs about deleted containers. Times in RFC 3339 UTC. */

/** A deleted container that can be restored. */
export interface Trashed {
  readonly user: string;
  /** The name under which Incus keeps it. */
  readonly name: string;
  readonly deletedAt: string;
  readonly deletedBy: string;
  /** When it is purged. */
  readonly until: string;
  readonly diskUsedBytes: number | null;
  readonly snapshots: number;
}

export interface TrashList {
  /** The containers, the oldest first, in the order in which they are purged. */
  readonly trashed: readonly Trashed[];
}

export interface TrashRestored {
  readonly user: string;
  readonly container: string;
  readonly status: string;
  readonly address: string;
  /** Whether it got another address, because its own was taken meanwhile. */
  readonly isNewAddress: boolean;
  readonly operation: string;
}

export interface TrashPurged {
  readonly user: string;
  readonly name: string;
  readonly freedBytes: number | null;
  readonly operation: string;
}
