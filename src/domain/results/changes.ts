/** Results of the verbs that create, resize, delete, start and stop a container. Times in RFC 3339 UTC. */
import type { SshAccess } from './access.ts';
import type { Container } from './container.ts';

export interface StateChange {
  readonly user: string;
  readonly container: string;
  readonly status: string;
  readonly changed: boolean;
  readonly operation: string | null;
  /** Whether the user's connections through the host were ended. */
  readonly connectionsEnded: boolean;
}

export interface ProtectionChange {
  readonly user: string;
  readonly container: string;
  readonly protected: boolean;
  readonly changed: boolean;
  readonly operation: string | null;
}

export interface LabelChange {
  readonly user: string;
  readonly container: string;
  /** The labels that the container has now. */
  readonly labels: Readonly<Record<string, string>>;
  readonly changed: boolean;
  readonly operation: string | null;
}

export interface ResizeResult {
  readonly user: string;
  readonly container: string;
  readonly changes: readonly {
    readonly what: 'cpu' | 'memory' | 'disk' | 'processes';
    readonly from: string | null;
    readonly to: string;
  }[];
  /** What the host cannot give; absent if it can. */
  readonly warnings?: readonly string[];
  readonly operation: string | null;
}

export interface DeleteResult {
  readonly user: string;
  readonly container: string;
  /** The space that is free now; null if the container is in the trash, or if it is not known. */
  readonly freedBytes: number | null;
  /** Where the container is kept, and until when; null if it was purged. */
  readonly trash: { readonly name: string; readonly until: string } | null;
  /** The backup that was made before; null if none was asked for. */
  readonly backup: string | null;
  readonly operation: string;
}

export interface CreateResult {
  readonly container: Container;
  readonly hostKeyFingerprint: string;
  readonly operation: string;
  /** The steps in order, with elapsed milliseconds. */
  readonly steps: readonly { readonly title: string; readonly elapsedMs: number }[];
  readonly sshConfig: SshAccess;
  readonly warnings: readonly string[];
}
