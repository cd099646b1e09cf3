/** Results about connections through the host's own sshd, through which users reach their containers. RFC 3339 UTC. */

/**
 * `cut`: sshd's process was killed and said nothing; its end is the time when that was noticed. `unknown`: its end is
 * not recorded.
 */
export type ConnectionState = 'open' | 'ended' | 'cut' | 'unknown';

/** One connection to a jump account. */
export interface JumpConnection {
  /** Its id in the journal's records. */
  readonly id: string;
  readonly user: string;
  /** The only container that the account may reach. */
  readonly container: string;
  readonly address: string;
  readonly port: number;
  /** As sshd names them: `publickey`, `ED25519`. */
  readonly method: string;
  readonly keyType: string | null;
  readonly fingerprint: string | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly durationMs: number | null;
  readonly state: ConnectionState;
}

/** How far the recorded connections are complete. */
export interface ConnectionCoverage {
  /** From when on connections are recorded. */
  readonly recordedSince: string;
  /** Why connections are not recorded at present, as a clause; null if they are. */
  readonly trouble: string | null;
}

export interface ConnectionList extends ConnectionCoverage {
  /** The oldest first. */
  readonly connections: readonly JumpConnection[];
  /** True if the limit cut off older ones. */
  readonly more: boolean;
  /** Number of connections that came too fast to have records of their own. */
  readonly unlisted: number;
}

export interface ConnectionCounts extends ConnectionCoverage {
  readonly counts: readonly {
    /** A day in UTC: `2026-11-23`. */
    readonly day: string;
    readonly user: string;
    readonly connections: number;
  }[];
  /** Number of connections that came too fast to be counted by user. */
  readonly unlisted: number;
}

/** The last connection of a user. */
export interface LastSeen {
  readonly at: string;
  readonly address: string;
  readonly fingerprint: string | null;
}
