/** Results of the verbs that are not about one container: plain data, times RFC 3339 UTC. */
import type { Role } from './actor.ts';
import type { BanInfo } from './ban.ts';
import type { HostTag, KeyInfo } from './container.ts';
import type { JsonObject } from './json.ts';
import type { LoginInfo } from './login.ts';
import type { Presence } from './room.ts';

export interface StateChange {
  readonly user: string;
  readonly container: string;
  readonly status: string;
  readonly changed: boolean;
  readonly operation: string | null;
}

export interface ResizeResult {
  readonly user: string;
  readonly container: string;
  readonly changes: readonly { readonly what: 'cpu' | 'memory' | 'disk'; readonly from: string | null; readonly to: string }[];
  readonly operation: string | null;
}

export interface DeleteResult {
  readonly user: string;
  readonly container: string;
  readonly freedBytes: number | null;
  readonly operation: string;
}

export interface KeyList {
  readonly user: string;
  readonly keys: readonly KeyInfo[];
}

export interface KeyChange {
  readonly user: string;
  readonly added: readonly KeyInfo[];
  readonly removed: readonly KeyInfo[];
  readonly keys: readonly KeyInfo[];
  readonly operation: string | null;
  readonly warnings: readonly string[];
}

export interface AdminInfo {
  readonly name: string;
  readonly role: Role;
  readonly keys: readonly KeyInfo[];
}

export interface AdminChange {
  readonly name: string;
  readonly added: readonly KeyInfo[];
  readonly removed: readonly KeyInfo[];
  readonly admins: readonly AdminInfo[];
}

export interface BanChange {
  readonly network: string;
  /** All that are in force now. */
  readonly bans: readonly BanInfo[];
}

export interface AuditRecords {
  readonly records: readonly JsonObject[];
  /** Whether older records matched too but were cut off by the limit. */
  readonly more: boolean;
}

export type AuditVerification =
  | { readonly ok: true; readonly records: number; readonly segments: number; readonly head: { readonly seq: number; readonly hash: string } }
  | {
      readonly ok: false;
      readonly records: number;
      readonly firstBad: { readonly segment: string; readonly line: number; readonly seq: number | null; readonly reason: string };
    };

export type DifferenceKind =
  | 'account-missing'
  | 'account-wrong'
  | 'account-foreign'
  | 'account-orphan'
  | 'jump-keys-missing'
  | 'jump-keys-differ'
  | 'jump-keys-orphan'
  | 'container-keys-differ'
  | 'container-unfinished'
  | 'operation-unfinished';

export interface Difference {
  readonly kind: DifferenceKind;
  readonly target: string;
  readonly detail: string;
  /** What would be, or was, done about it; null where only a person can decide. */
  readonly fix: string | null;
  readonly fixed: boolean;
}

export interface Reconciliation {
  readonly applied: boolean;
  readonly differences: readonly Difference[];
  readonly checked: { readonly containers: number; readonly accounts: number; readonly keyFiles: number };
}

export type Severity = 'ok' | 'warning' | 'problem';

export interface Check {
  readonly name: string;
  readonly severity: Severity;
  readonly detail: string;
  readonly next: string | null;
}

export interface Diagnosis {
  readonly host: HostTag;
  readonly checks: readonly Check[];
  readonly worst: Severity;
}

export interface WhoIsHere {
  readonly present: readonly Presence[];
}

export interface Said {
  /** Other shells that were told. */
  readonly heardBy: number;
}

/** Sessions that were sent away. */
export interface KickResult {
  readonly ended: readonly LoginInfo[];
}

export interface ShellEnd {
  readonly user: string;
  readonly container: string;
  readonly exitStatus: number;
}

export interface ConsoleLog {
  readonly user: string;
  /** Empty where all of it came bit by bit. */
  readonly text: string;
}

export interface WhoAmI {
  readonly name: string;
  readonly role: Role;
  readonly door: string;
  readonly fingerprint: string | null;
  readonly address: string | null;
  readonly containers: readonly string[];
  readonly host: HostTag;
}

export interface VersionInfo {
  readonly version: string;
  readonly node: string;
  readonly platform: string;
  readonly host: HostTag;
}

export interface ImageInfo {
  readonly alias: string;
  readonly base: string;
  readonly fingerprint: string;
  readonly sizeBytes: number;
  readonly createdAt: string;
  /** Whether it was built by the recipe that this version uses. */
  readonly current: boolean;
}

export interface ImageBuildResult {
  readonly image: ImageInfo;
  readonly elapsedMs: number;
  readonly operation: string;
}
