/** What `doctor` needs from the rest of the server. */
import type { AdminInfo } from '../../domain/results/admins.ts';
import type { AuditVerification } from '../../domain/results/audit.ts';
import type { Btrfs } from '../../host/btrfs.ts';
import type { KernelRelease } from '../../host/kernelRelease.ts';
import type { Packages } from '../../host/packages.ts';
import type { Sshd } from '../../host/sshd.ts';

/** The system user of the front process. */
export interface FrontUser {
  /** Null if it is the user who started the server. */
  readonly name: string | null;
  /** Whether other programs run as the same user. */
  readonly shared: boolean;
  /** Whether the front runs in its own systemd unit, with systemd's sandboxing. */
  readonly unit: boolean;
}

export interface DoctorTools {
  readonly front: FrontUser;
  readonly sshd: Sshd;
  readonly authorizedKeysFolder: string;
  readonly verifyJournal: (signal: AbortSignal) => Promise<AuditVerification>;
  readonly server: ServerTools;
  readonly packages: Packages;
  readonly btrfs: Btrfs;
  readonly kernel: () => KernelRelease;
  /** The Node.js that runs the server. */
  readonly node: { readonly version: string; readonly path: string };
  /** Returns the name of the disk that has a path; undefined if it is not known. */
  readonly diskOf: (path: string) => Promise<string | undefined>;
  readonly poolTrouble: (pool: string, signal: AbortSignal) => Promise<string | undefined>;
}

export interface ServerTools {
  readonly hostKeyPath: string;
  readonly stateFolder: string;
  readonly journalFolder: string;
  readonly admins: () => readonly AdminInfo[];
  /** Returns the number of logins over ssh, and its limit. */
  readonly logins: () => { readonly open: number; readonly max: number };
}
