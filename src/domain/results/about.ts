/** Results of `whoami`, `version` and `info` about the host. */
import type { CertificateMark, Role } from '../access/actor.ts';

export interface WhoAmI {
  readonly name: string;
  readonly role: Role;
  readonly entryPoint: string;
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

export interface HostInfo {
  readonly kind: HostKind;
  readonly why: string;
  readonly hostname: string;
  readonly uptimeSeconds: number;
  /** `Debian GNU/Linux 12`; empty if Incus does not say. */
  readonly os: string;
  readonly incusVersion: string;
  readonly kernel: string;
  readonly containers: { readonly total: number; readonly running: number };
  readonly cpus: number;
  readonly memoryTotalBytes: number;
  readonly memoryFreeBytes: number;
  readonly pool: {
    readonly name: string;
    readonly driver: string;
    readonly usedBytes: number;
    readonly totalBytes: number;
  };
  readonly network: { readonly name: string; readonly address: string };
  readonly image: { readonly alias: string; readonly ready: boolean; readonly base: string };
}

export type HostKind = 'incus' | 'simulated';

/** The host that answers, as in every `--json` document and every banner. */
export interface HostTag {
  readonly kind: HostKind;
  readonly simulated: boolean;
  /** Why the server uses this host. */
  readonly why: string;
}
