/** Results of `doctor`, `reconcile` and the image verbs. */
import type { HostTag } from './about.ts';

export type DifferenceKind =
  | 'account-missing'
  | 'account-wrong'
  | 'account-foreign'
  | 'account-orphan'
  | 'jump-keys-missing'
  | 'jump-keys-differ'
  | 'jump-keys-orphan'
  | 'container-keys-differ'
  | 'isolation-missing'
  | 'restart-pending'
  | 'container-address'
  | 'container-stopped'
  | 'snapshot-schedule'
  | 'generation-empty'
  | 'generation-orphan'
  | 'trash-overdue'
  | 'trash-orphan'
  | 'container-unfinished'
  | 'operation-unfinished';

export interface Difference {
  readonly kind: DifferenceKind;
  readonly target: string;
  readonly detail: string;
  /** The repair, proposed or done; null if only a person can decide. */
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

export interface ImageInfo {
  readonly alias: string;
  readonly base: string;
  readonly fingerprint: string;
  readonly sizeBytes: number;
  readonly createdAt: string;
  /** Whether it was built with the recipe of this version. */
  readonly current: boolean;
}

export interface ImageBuildResult {
  readonly image: ImageInfo;
  readonly elapsedMs: number;
  readonly operation: string;
}
