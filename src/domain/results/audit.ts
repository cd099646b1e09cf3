/** Results of `audit` and its verbs. */
import type { JsonObject } from '../json.ts';

export interface AuditRecords {
  readonly records: readonly JsonObject[];
  /** True if the limit cut off older matching records. */
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
