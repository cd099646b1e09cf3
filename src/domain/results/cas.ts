/** Results of the verbs about CAs. Times in RFC 3339 UTC. */

/** A key whose certificates are believed. */
export interface CaInfo {
  readonly name: string;
  readonly entryPoints: readonly string[];
  readonly type: string;
  readonly fingerprint: string;
  readonly comment: string;
  readonly addedAt: string;
  readonly addedBy: string;
  readonly revoked: {
    readonly serials: readonly string[];
    readonly keyIds: readonly string[];
    readonly fingerprints: readonly string[];
  };
}

export interface CaChange {
  readonly name: string;
  /** As a clause. */
  readonly did: string;
  readonly cas: readonly CaInfo[];
}
