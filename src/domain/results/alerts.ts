/** Results of the verbs about alerts. Times in RFC 3339 UTC. */

export const alertCodes = [
  'pool',
  'pool-space',
  'quota',
  'backup',
  'ban-storm',
  'certificate',
  'key',
  'state',
  'firewall',
  'operation',
  'job',
  'clock',
  'anchor',
  'channel',
  'unknown',
] as const;

/** What an alert is about. `unknown` is a check that failed, so that nobody knows. */
export type AlertCode = (typeof alertCodes)[number];

export type AlertSeverity = 'warning' | 'problem';

/** A condition that has begun. */
export interface AlertInfo {
  readonly code: AlertCode;
  /** What it is about: a pool, a user, a job, … */
  readonly subject: string;
  readonly severity: AlertSeverity;
  readonly text: string;
  readonly next: string | null;
  readonly since: string;
  /** When it was over; null while it lasts. */
  readonly endedAt: string | null;
}

/** A way by which alerts and reports leave the host. */
export interface ChannelInfo {
  readonly name: 'mail' | 'webhook';
  /** Where it leads: addresses, or the host of a web address. */
  readonly to: string;
  /** Number of messages that wait. */
  readonly queued: number;
  /** Number of messages that were given up since the last delivery. */
  readonly dropped: number;
  readonly lastAt: string | null;
  readonly lastOutcome: 'ok' | 'failed' | null;
  readonly lastText: string | null;
}

export interface AlertList {
  /** The open ones first, then those that are over, the newest first. */
  readonly alerts: readonly AlertInfo[];
  readonly channels: readonly ChannelInfo[];
  /** When the conditions were last looked at; null before the first time. */
  readonly checkedAt: string | null;
}

export interface AlertTest {
  readonly channels: readonly {
    readonly name: ChannelInfo['name'];
    readonly to: string;
    readonly outcome: 'ok' | 'failed';
    readonly text: string;
  }[];
}
