/** A container as verbs show it. Sizes in bytes, times in RFC 3339 UTC. */
import type { KeyInfo } from './keys.ts';

export const instanceStatuses = ['running', 'stopped', 'frozen', 'error', 'starting', 'stopping', 'unknown'] as const;

export type InstanceStatus = (typeof instanceStatuses)[number];

/** How far this system is with a container. */
export type Provisioning = 'creating' | 'ready' | 'deleting';

export interface Container {
  readonly user: string;
  /** The Incus instance. */
  readonly name: string;
  readonly status: InstanceStatus;
  readonly provisioning: Provisioning;
  /** The fixed address on the bridge; null for an instance that has none. */
  readonly address: string | null;
  readonly cpus: number | null;
  readonly memoryLimitBytes: number | null;
  readonly memoryUsedBytes: number | null;
  /** null where the storage pool has no quotas. */
  readonly diskQuotaBytes: number | null;
  readonly diskUsedBytes: number | null;
  readonly autostart: boolean;
  readonly docker: boolean;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly startedAt: string | null;
  readonly processes: number | null;
  readonly snapshots: number;
  /** SHA256 fingerprints of the owner's keys. */
  readonly keys: readonly string[];
}

/** A container with what takes a second look: CPU use over a short interval, its keys in full. */
export interface ContainerDetails extends Container {
  /** Percent of one CPU, measured over a fraction of a second; null unless running. */
  readonly cpuPercent: number | null;
  readonly storage: { readonly pool: string; readonly driver: string; readonly quotas: boolean };
  readonly hostKeyFingerprint: string | null;
  /** When the user last logged in; null where it is not known. */
  readonly lastLoginAt: string | null;
  readonly keyList: readonly KeyInfo[];
  /** Use over the last minutes, oldest first; empty where nobody has had a shell open. */
  readonly recent: { readonly cpuPercent: readonly number[]; readonly memoryBytes: readonly number[] };
  readonly jumpAccount: { readonly exists: boolean; readonly shell: string | null };
}

export interface ContainerList {
  readonly containers: readonly Container[];
  readonly total: number;
  readonly running: number;
  readonly stopped: number;
  /** Instances on the host that this system did not make and does not touch. */
  readonly foreign: number;
}
