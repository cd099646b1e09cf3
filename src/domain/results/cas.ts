/** Results of the verbs about CAs. Times in RFC 3339 UTC. */

/** A CA: a key that signs user certificates. */
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
  /** The change, as a clause. */
  readonly did: string;
  readonly cas: readonly CaInfo[];
}
