/** Bans, which admins set, and penalties, which the server imposes on sources that misbehave. */

import { currentTerm, type Term } from '../values/term.ts';

/** Reasons for a penalty. Clients are told the text, followed by "from this address". */
export const penaltyReasons = {
  failedLogin: 'too many failed logins',
  noLogin: 'too many connections without a login',
  late: 'too many login timeouts',
  violation: 'too many protocol violations',
} as const;

export type PenaltyReason = keyof typeof penaltyReasons;
export const penaltyReasonNames = Object.keys(penaltyReasons) as [PenaltyReason, ...PenaltyReason[]];

/** A ban set by an admin. Times are RFC 3339 UTC. */
export interface Ban {
  readonly network: string;
  readonly reason: string | null;
  readonly by: string;
  readonly at: string;
  /** Null: until lifted. */
  readonly until: string | null;
}

/** A penalty imposed by the server. Times are RFC 3339 UTC. */
export interface Penalty {
  /** One source: an IPv4 address, or the /64 of an IPv6 address. */
  readonly network: string;
  readonly why: PenaltyReason;
  /** Number of penalties of this source within the time that the server remembers, this one included. */
  readonly times: number;
  readonly at: string;
  readonly until: string;
}

/** Returns a ban or a penalty as the clock says now: see {@link currentTerm}. */
export function currentBan<T extends Pick<Ban, 'at' | 'until'>>(ban: T, nowMs: number): T {
  if (ban.until === null) return ban;
  const term: Term = { atMs: Date.parse(ban.at), untilMs: Date.parse(ban.until) };
  const current = currentTerm(term, nowMs);
  if (current === term) return ban;
  return { ...ban, at: new Date(current.atMs).toISOString(), until: new Date(current.untilMs).toISOString() };
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
