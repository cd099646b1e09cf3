/** Connections that ended without a login, and the reports in which the serving processes send them to core. */

/**
 * Reasons, as named in the journal, the log and the metrics. All text is fixed: the source address is the only part of
 * a refusal that the client controls.
 */
export const refusalReasons = {
  key: 'no accepted key',
  certificate: 'no accepted certificate',
  signature: 'invalid signature',
  method: 'unsupported authentication method',
  attempts: 'too many authentication attempts',
  proof: 'invalid proof of login',
  late: 'login timeout',
  silent: 'no login attempt',
  connections: 'too many connections',
  banned: 'address is banned',
} as const;

export type RefusalReason = keyof typeof refusalReasons;

export const refusalReasonNames = Object.keys(refusalReasons) as RefusalReason[];

/** Reasons that suggest guessing. The others may come from a scanner, a busy day or a slow network. */
export const failedLogins: ReadonlySet<RefusalReason> = new Set([
  'key',
  'certificate',
  'signature',
  'method',
  'attempts',
  'proof',
]);

/** The login name that the client tried, one of ours or any other; `remote` for the remote interface. */
export const triedEntryPoints = ['manage', 'self', 'remote', 'other'] as const;
export type TriedEntryPoint = (typeof triedEntryPoints)[number];

/** One connection that ended without a login. */
export interface Refusal {
  /** IPv4 or IPv6 address. */
  readonly source: string;
  readonly port: number;
  readonly reason: RefusalReason;
  /** Absent if the client sent no login name. */
  readonly entryPoint?: TriedEntryPoint | undefined;
}

/** Refusals that differ only in the port. */
export interface CountedRefusals {
  readonly source: string;
  readonly reason: RefusalReason;
  readonly entryPoint?: TriedEntryPoint | undefined;
  readonly count: number;
  /** Ports of the first {@link maxPorts}. */
  readonly ports: readonly number[];
}

/** The refusals of a few seconds. */
export interface RefusalReport {
  readonly counted: readonly CountedRefusals[];
  /** Number of further refusals by reason, for sources that did not fit into `counted`. */
  readonly others: Readonly<Partial<Record<RefusalReason, number>>>;
}

/** Maximum number of entries in `counted`, one per source and reason. */
export const maxCountedSources = 256;
/** Maximum number of ports per entry. */
export const maxPorts = 10;

export function triedEntryPoint(username: string): TriedEntryPoint {
  return username === 'manage' || username === 'self' ? username : 'other';
}
