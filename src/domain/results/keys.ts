/** Results of the verbs about keys. */

export interface KeyList {
  readonly user: string;
  readonly keys: readonly KeyInfo[];
}

export interface KeyChange {
  readonly user: string;
  readonly added: readonly KeyInfo[];
  readonly removed: readonly KeyInfo[];
  readonly keys: readonly KeyInfo[];
  readonly operation: string | null;
  /** Whether the user's connections through the host were ended, because a key was removed. */
  readonly connectionsEnded: boolean;
  readonly warnings: readonly string[];
}

export interface KeyInfo {
  readonly type: string;
  readonly bits: number | null;
  readonly fingerprint: string;
  readonly comment: string;
  readonly addedAt: string;
  readonly addedBy: string;
}
