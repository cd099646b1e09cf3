/** Sources that are not let in for a while: by an admin, or for what came from them. */

/** Why a source is refused, and what it is told; the words stand before "from this address". */
export const penaltyReasons = {
  failedLogin: 'too many failed logins',
  noLogin: 'too many connections without a login',
  late: 'too many connections that did not log in in time',
  violation: 'too many connections that broke the protocol',
} as const;

export type PenaltyReason = keyof typeof penaltyReasons;
export const penaltyReasonNames = Object.keys(penaltyReasons) as [PenaltyReason, ...PenaltyReason[]];

/** Given by an admin. Times are RFC 3339 UTC. */
export interface Ban {
  readonly network: string;
  readonly reason: string | null;
  readonly by: string;
  readonly at: string;
  /** Null: until it is lifted. */
  readonly until: string | null;
}

/** Begun by the server itself. Times are RFC 3339 UTC. */
export interface Penalty {
  /** One source: an IPv4 address, or the /64 of an IPv6 address. */
  readonly network: string;
  readonly why: PenaltyReason;
  /** The how manieth within the time that is remembered. */
  readonly times: number;
  readonly at: string;
  readonly until: string;
}

/** A ban or a penalty in force, as `ban list` shows it. */
export interface BanInfo {
  readonly network: string;
  readonly kind: 'ban' | 'penalty';
  readonly reason: string | null;
  /** Null for a penalty. */
  readonly by: string | null;
  readonly at: string;
  readonly until: string | null;
}
