/** Results of the verbs that are not about one container: plain data, times RFC 3339 UTC. */
import type { CertificateMark, Role } from './actor.ts';
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
  readonly changes: readonly {
    readonly what: 'cpu' | 'memory' | 'disk';
    readonly from: string | null;
    readonly to: string;
  }[];
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

/** A login, as far as it is remembered. */
export interface LastUse {
  /** RFC 3339 UTC. */
  readonly at: string;
  readonly address: string;
}

export interface AdminKeyInfo extends KeyInfo {
  /** Addresses and networks that it may be used from; null: all. */
  readonly from: string | null;
  /** RFC 3339 UTC; null: it does not expire. */
  readonly expiresAt: string | null;
  readonly verifyRequired: boolean;
  readonly lastUse: LastUse | null;
}

export interface AdminInfo {
  readonly name: string;
  readonly role: Role;
  /** Of admins who need no key: the last login with a certificate. */
  readonly certificate: { readonly lastUse: LastUse | null } | null;
  readonly keys: readonly AdminKeyInfo[];
}

export interface AdminChange {
  readonly name: string;
  readonly added: readonly AdminKeyInfo[];
  /** Keys that were there, and have other limits now. */
  readonly changed: readonly AdminKeyInfo[];
  readonly removed: readonly AdminKeyInfo[];
  /** What else was done, as a clause. */
  readonly note: string | null;
  readonly admins: readonly AdminInfo[];
}

export interface BanChange {
  readonly network: string;
  /** All that are in force now. */
  readonly bans: readonly BanInfo[];
}

/** A key whose certificates are believed. */
export interface AuthorityInfo {
  readonly name: string;
  readonly doors: readonly string[];
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

export interface AuthorityChange {
  readonly name: string;
  /** As a clause. */
  readonly did: string;
  readonly authorities: readonly AuthorityInfo[];
}

export interface InvitationInfo {
  readonly id: string;
  readonly kind: 'admin' | 'user';
  /** The admin or user whose key it will be. */
  readonly name: string;
  /** Of a new admin. */
  readonly role: Role | null;
  readonly by: string;
  readonly expiresAt: string;
}

export interface InvitationMade {
  readonly invitation: InvitationInfo;
  /** Shown this once. */
  readonly token: string;
  /** What the invited person types. */
  readonly command: string;
}

export interface AuditRecords {
  readonly records: readonly JsonObject[];
  /** Whether older records matched too but were cut off by the limit. */
  readonly more: boolean;
}

export type AuditVerification =
  | {
      readonly ok: true;
      readonly records: number;
      readonly segments: number;
      readonly head: { readonly seq: number; readonly hash: string };
    }
  | {
      readonly ok: false;
      readonly records: number;
      readonly firstBad: {
        readonly segment: string;
        readonly line: number;
        readonly seq: number | null;
        readonly reason: string;
      };
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

/** A host key of port 2222, ready to be compared and published. */
export interface HostKeyInfo {
  readonly which: 'present' | 'next';
  readonly type: string;
  /** `SHA256:…`, as ssh-keygen(1) shows it. */
  readonly fingerprint: string;
  readonly madeAt: string;
  /** Whether the running server presents it (the present one) or announces it (the next one). */
  readonly inUse: boolean;
  /** A line of known_hosts (sshd(8)). */
  readonly knownHosts: string;
  /** A resource record (RFC 4255). */
  readonly sshfp: string;
}

export interface HostKeyList {
  readonly keys: readonly HostKeyInfo[];
  /** Whether it is known how clients reach this host; otherwise JUMP-HOST stands for it. */
  readonly named: boolean;
}

export interface HostKeyChange extends HostKeyList {
  readonly did: 'rotated' | 'switched';
  readonly fingerprint: string;
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
  readonly certificate: CertificateMark | null;
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
