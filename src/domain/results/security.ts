/** Result of `security`. Times in RFC 3339 UTC. */
import type { BanInfo } from '../access/ban.ts';
import type { LoginInfo } from '../access/login.ts';
import type { JumpConnection } from './connections.ts';
import type { Check } from './upkeep.ts';

/** Logins that were refused, or that failed. */
export interface FailedLogins {
  /** At this server. */
  readonly server: number;
  /** At the host's own sshd; null if that is not known. */
  readonly host: number | null;
  /** The addresses with the most of them, the most frequent first. */
  readonly sources: readonly {
    readonly address: string;
    readonly server: number;
    readonly host: number;
    /** Whether the address is banned, or has a penalty, at this server. */
    readonly banned: boolean;
  }[];
  /** Number of those whose addresses were not recorded, because there were too many. */
  readonly unlisted: number;
}

/** A person who was active in the time that is looked at. */
export interface ActivePerson {
  readonly name: string;
  readonly kind: 'admin' | 'user';
  /** Number of logins at this server. */
  readonly logins: number;
  /** Number of connections through the host's own sshd. */
  readonly connections: number;
  readonly lastAt: string;
}

export interface ExpiringKey {
  readonly admin: string;
  readonly kind: 'key' | 'certificate';
  /** The fingerprint of the key, or the serial of the certificate. */
  readonly id: string;
  readonly expiresAt: string;
}

export interface SecurityOverview {
  /** The time that it looks at. */
  readonly since: string;
  readonly until: string;
  /** Who is logged in over ssh or over the remote interface. */
  readonly sessions: readonly LoginInfo[];
  /** The open connections through the host's own sshd; empty if that is not known. */
  readonly connections: readonly JumpConnection[];
  /** Why connections are not known, or not recorded at present, as a clause; null if they are. */
  readonly trouble: string | null;
  readonly failures: FailedLogins;
  readonly bans: readonly BanInfo[];
  readonly active: readonly ActivePerson[];
  readonly expiring: readonly ExpiringKey[];
  /** The checks of `doctor` that are about security. */
  readonly checks: readonly Check[];
}
