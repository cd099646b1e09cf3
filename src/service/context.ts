/** What a capability is given: the host, what the server keeps, and what it is doing. */
import type { LoginInfo, LoginMeans } from '../domain/access/login.ts';
import type { AdminStore } from './access/adminStore.ts';
import type { BanStore } from './access/banStore.ts';
import type { CaStore } from './access/caStore.ts';
import type { HostKeyStore } from './access/hostKeyStore.ts';
import type { InvitationStore } from './access/invitationStore.ts';
import type { DoctorTools } from './checks/tools.ts';
import type { HostContext } from './instances/context.ts';
import type { Room } from './shells/room.ts';

export interface ServiceContext extends HostContext {
  readonly version: string;
  readonly journalFolder: string;
  /** Port of the SSH server. */
  readonly port: () => number;
  readonly admins: AdminStore;
  readonly cas: CaStore;
  readonly invitations: InvitationStore;
  readonly bans: BanStore;
  readonly hostKeys: HostKeyStore;
  readonly logins: OpenLogins;
  readonly room: Room;
  readonly feed: RecentUse;
  readonly doctor: DoctorTools;
}

/** The logins that are open, as core keeps them. */
export interface OpenLogins {
  list(): readonly LoginInfo[];
  /** How a login came in; undefined for one in local mode, and for one that is over. */
  means(login: string): LoginMeans | undefined;
  /** Ends a login; its client is told the reason. */
  end(login: string, reason: string): void;
}

/** What was measured of a container lately, oldest first. */
export interface RecentUse {
  samples(user: string): readonly { readonly cpuPercent: number | null; readonly memoryBytes: number | null }[];
}

/** The name or address by which the caller reaches this host, where one is known. */
export function reachedBy({ settings }: HostContext, reachedAt: string | undefined): string | undefined {
  return settings.jump.hostname ?? reachedAt;
}
