/** What doctor asks of the rest of the server. */
import type { AdminInfo } from '../../domain/results/admins.ts';
import type { AuditVerification } from '../../domain/results/audit.ts';
import type { Sshd } from '../../host/sshd.ts';

/** Who the process is that speaks SSH. */
export interface FrontUser {
  /** Null where it is whoever started the server. */
  readonly name: string | null;
  /** Whether other programs of the machine are the same user. */
  readonly shared: boolean;
  /** Whether it is a unit of its own, with everything that systemd can take away from one. */
  readonly unit: boolean;
}

export interface DoctorTools {
  readonly front: FrontUser;
  readonly sshd: Sshd;
  readonly authorizedKeysFolder: string;
  readonly verifyJournal: (signal: AbortSignal) => Promise<AuditVerification>;
  readonly server: ServerTools;
  readonly poolTrouble: (pool: string, signal: AbortSignal) => Promise<string | undefined>;
}

export interface ServerTools {
  readonly hostKeyPath: string;
  readonly stateFolder: string;
  readonly journalFolder: string;
  /** Who is logged in over ssh, and how many could be. */
  readonly admins: () => readonly AdminInfo[];
  readonly logins: () => { readonly open: number; readonly most: number };
}
