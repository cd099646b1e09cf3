/** Containers in results. Sizes in bytes, times in RFC 3339 UTC. */
import type { LastSeen } from './connections.ts';
import type { KeyInfo } from './keys.ts';

export const instanceStatuses = ['running', 'stopped', 'frozen', 'error', 'starting', 'stopping', 'unknown'] as const;

export type InstanceStatus = (typeof instanceStatuses)[number];

/** The stage of a container's life, apart from the state of its instance. */
export type Provisioning = 'creating' | 'ready' | 'deleting';

/** A process of a container was killed because the container reached its memory limit, /dev/shm included. */
export interface OutOfMemory {
  readonly at: string;
  /** `killed`: the container runs on. `stopped`: it was its init. `restarted`: likewise, and Incus started it again. */
  readonly effect: 'killed' | 'stopped' | 'restarted';
}

export interface Container {
  readonly user: string;
  /** The name of the Incus instance. */
  readonly name: string;
  readonly status: InstanceStatus;
  readonly provisioning: Provisioning;
  /** The static address on the bridge, if there is one. */
  readonly address: string | null;
  readonly cpus: number | null;
  readonly memoryLimitBytes: number | null;
  readonly memoryUsedBytes: number | null;
  /** Null if the storage pool has no quotas. */
  readonly diskQuotaBytes: number | null;
  readonly diskUsedBytes: number | null;
  /** Maximum number of processes and threads. */
  readonly processLimit: number | null;
  readonly autostart: boolean;
  readonly docker: boolean;
  /** Whether it is protected from being deleted. */
  readonly protected: boolean;
  /** When it moves to the trash by itself, RFC 3339 UTC; null for never. */
  readonly expiresAt: string | null;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly startedAt: string | null;
  readonly processes: number | null;
  /** Why the running container has to restart for its configuration to take effect, as clauses. Empty: no need. */
  readonly restartFor: readonly string[];
  readonly snapshots: number;
  /** When the newest snapshot was made; null if there is none. */
  readonly lastSnapshotAt: string | null;
  /** When it was backed up last, RFC 3339 UTC; null if never, or if that is not known yet. */
  readonly lastBackupAt: string | null;
  /** Since the last start, or the reason for it; null also if the host's log cannot tell. */
  readonly outOfMemory: OutOfMemory | null;
  /** SHA256 fingerprints of the owner's keys. */
  readonly keys: readonly string[];
}

/** A container with details that take extra time to collect, such as current CPU usage. */
export interface ContainerDetails extends Container {
  /** Percent of one CPU, measured over a fraction of a second; null unless the container is running. */
  readonly cpuPercent: number | null;
  readonly storage: { readonly pool: string; readonly driver: string; readonly quotas: boolean };
  readonly hostKeyFingerprint: string | null;
  /** When the user last logged in; null if unknown. */
  readonly lastLoginAt: string | null;
  /** The user's last connection through the host; null if there was none, or if that is not known. */
  readonly lastSeen: LastSeen | null;
  readonly keyList: readonly KeyInfo[];
  /** Usage in the last minutes, oldest first; empty if no shell was open. */
  readonly recent: { readonly cpuPercent: readonly number[]; readonly memoryBytes: readonly number[] };
  /** Null unless the container is running. Bytes since its start. */
  readonly network: {
    readonly name: string;
    readonly macAddress: string;
    readonly bridge: string;
    readonly receivedBytes: number;
    readonly sentBytes: number;
  } | null;
  readonly jumpAccount: { readonly exists: boolean; readonly shell: string | null };
}

export interface ContainerList {
  readonly containers: readonly Container[];
  readonly total: number;
  readonly running: number;
  readonly stopped: number;
  /** Number of instances on the host that this system did not create and does not touch. */
  readonly foreign: number;
  /** When the use of CPU, memory and disk was measured, RFC 3339 UTC. */
  readonly measuredAt: string;
}
