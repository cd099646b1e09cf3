/** What a verb's implementation can use: the host, the server's stores, and its live state. */
import type { LoginInfo, LoginMeans } from '../domain/access/login.ts';
import type { Alerts } from './alerts/alerts.ts';
import type { AdminStore } from './access/adminStore.ts';
import type { BanStore } from './access/banStore.ts';
import type { CaStore } from './access/caStore.ts';
import type { HostKeyStore } from './access/hostKeyStore.ts';
import type { InvitationStore } from './access/invitationStore.ts';
import type { CertificateStore } from './certificates/certificateStore.ts';
import type { DoctorTools } from './checks/tools.ts';
import type { HostContext } from './instances/context.ts';
import type { Keeping } from './keeping/journalKeeping.ts';
import type { Firewall } from './firewall/firewall.ts';
import type { ConnectionCoverage, JumpConnection, LastSeen } from '../domain/results/connections.ts';
import type { JsonObject } from '../domain/json.ts';
import type { JobRun, Schedule } from '../domain/results/schedule.ts';
import type { Room } from './shells/room.ts';

export interface ServiceContext extends HostContext {
  readonly version: string;
  readonly journalFolder: string;
  /** The last record of the journal that is on disk. */
  readonly journalHead: () => { readonly seq: number; readonly hash: string };
  /** Port of the SSH server. */
  readonly port: () => number;
  readonly admins: AdminStore;
  readonly cas: CaStore;
  readonly certificates: CertificateStore;
  readonly invitations: InvitationStore;
  readonly bans: BanStore;
  readonly firewall: Firewall;
  readonly hostKeys: HostKeyStore;
  readonly logins: OpenLogins;
  readonly connections: OpenConnections;
  readonly records: NewRecords;
  readonly room: Room;
  readonly feed: RecentUse;
  readonly doctor: DoctorTools;
  readonly schedule: RunningSchedule;
  readonly alerts: Alerts;
  readonly keeping: Keeping;
}

/** What the server does by itself. */
export interface RunningSchedule {
  list(): Schedule;
  /** Runs a job now. Rejects with its failure, or with `not-found`. */
  run(job: string): Promise<JobRun>;
}

/** The logins that core holds open. */
export interface OpenLogins {
  list(): readonly LoginInfo[];
  /** Returns how a login was authenticated; undefined for a local or closed login. */
  means(login: string): LoginMeans | undefined;
  /** Ends a login and tells its client the reason. */
  end(login: string, reason: string): void;
}

/** Recent measurements of a container, oldest first. */
export interface RecentUse {
  samples(user: string): readonly { readonly cpuPercent: number | null; readonly memoryBytes: number | null }[];
}

/** The connections through the host's own sshd. */
export interface OpenConnections {
  /** Returns how far they are recorded. Throws `program-missing` if this host cannot tell. */
  coverage(): ConnectionCoverage;
  open(): readonly JumpConnection[];
  lastSeen(user: string): LastSeen | undefined;
}

/** The records that are appended to the journal. */
export interface NewRecords {
  /** Calls `listener` with each new record, and returns a function that ends that. */
  subscribe(listener: (record: { readonly type: string } & JsonObject) => void): () => void;
}
