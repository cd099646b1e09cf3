/** Somebody who was not let in: why, and how the front tells core of many of them at once. */

/**
 * Why, as the journal, the log and the metrics name it. Words of ours only: nothing that a client chose is in a refusal
 * but the address it came from.
 */
export const refusalReasons = {
  key: 'no key that may log in',
  signature: 'a signature that does not verify',
  method: 'a method that is not offered',
  attempts: 'too many attempts',
  proof: 'a login that was not proved',
  late: 'no login in time',
  silent: 'no attempt to log in',
  connections: 'too many connections',
  banned: 'banned for a while',
} as const;

export type RefusalReason = keyof typeof refusalReasons;

export const refusalReasonNames = Object.keys(refusalReasons) as RefusalReason[];

/** Those that somebody who guesses leaves behind; the others may be a scanner, a busy day, or a slow network. */
export const failedLogins: ReadonlySet<RefusalReason> = new Set(['key', 'signature', 'method', 'attempts', 'proof']);

/** The login name that was tried: ours, or any other. */
export const triedEntryPoints = ['manage', 'self', 'other'] as const;
export type TriedEntryPoint = (typeof triedEntryPoints)[number];

/** One connection that ended without a login. */
export interface Refusal {
  /** IPv4 or IPv6 address. */
  readonly source: string;
  readonly port: number;
  readonly reason: RefusalReason;
  /** Absent where no login name was said. */
  readonly entryPoint?: TriedEntryPoint | undefined;
}

/** Refusals that have everything in common but the port. */
export interface CountedRefusals {
  readonly source: string;
  readonly reason: RefusalReason;
  readonly entryPoint?: TriedEntryPoint | undefined;
  readonly count: number;
  /** Ports of the first few. */
  readonly ports: readonly number[];
}

/** What a report says of refusals, for some seconds. */
export interface RefusalReport {
  readonly counted: readonly CountedRefusals[];
  /** Of those whose sources were too many to be listed, how many for which reason. */
  readonly others: Readonly<Partial<Record<RefusalReason, number>>>;
}

/** Sources and reasons that one report may list, and ports for each. */
export const maxCountedSources = 256;
export const maxPorts = 10;

export function triedEntryPoint(username: string): TriedEntryPoint {
  return username === 'manage' || username === 'self' ? username : 'other';
}
