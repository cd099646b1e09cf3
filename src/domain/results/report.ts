/** Result of `report`. Times in RFC 3339 UTC, sizes in bytes. */
import type { AlertInfo } from './alerts.ts';

/** A part of the report. Exactly one of both is null: a question that failed is not an empty answer. */
export interface Part<T> {
  readonly value: T | null;
  /** Why it is not known. */
  readonly trouble: string | null;
}

export interface ContainerCounts {
  readonly total: number;
  readonly running: number;
  readonly stopped: number;
  /** Number in other states. */
  readonly other: number;
  readonly trash: number;
}

/** Users whose containers changed. */
export interface ContainerChanges {
  readonly created: readonly string[];
  /** Moved to the trash by a person. */
  readonly deleted: readonly string[];
  /** Moved to the trash because their time was over. */
  readonly expired: readonly string[];
  readonly purged: readonly string[];
}

export interface BackupCounts {
  readonly made: number;
  /** Users whose backup failed. */
  readonly failed: readonly string[];
  /** Users without a backup that is new enough; null if there is no place for backups. */
  readonly overdue: readonly string[] | null;
}

export interface LoginCounts {
  readonly logins: number;
  /** Number of failed logins, and of sources of one record at most. */
  readonly failed: number;
  readonly sources: number;
  /** Number of sources that were banned by themselves, and of bans by admins. */
  readonly penalties: number;
  readonly bans: number;
}

export interface Fill {
  readonly name: string;
  readonly percent: number;
  readonly usedBytes: number;
  readonly totalBytes: number;
}

export interface AlertSummary {
  /** Texts of what began and of what was over in the time of the report. */
  readonly begun: readonly string[];
  readonly over: readonly string[];
  readonly open: readonly AlertInfo[];
}

/** A key or a certificate that ends. */
export interface Expiry {
  readonly what: string;
  readonly at: string;
}

export interface JournalSummary {
  readonly records: number;
  /** Hash of the newest record. */
  readonly head: string;
  /** How the last check of the whole journal went; null before the first. */
  readonly verifiedAt: string | null;
  readonly verified: 'ok' | 'failed' | null;
  readonly anchorTrouble: string | null;
}

export interface Report {
  readonly host: string;
  readonly since: string;
  readonly until: string;
  readonly alerts: Part<AlertSummary>;
  readonly containers: Part<ContainerCounts>;
  readonly changes: Part<ContainerChanges>;
  readonly backups: Part<BackupCounts>;
  readonly logins: Part<LoginCounts>;
  readonly pools: Part<readonly Fill[]>;
  /** The fullest containers. */
  readonly disks: Part<readonly Fill[]>;
  readonly expiries: Part<readonly Expiry[]>;
  readonly journal: Part<JournalSummary>;
}
