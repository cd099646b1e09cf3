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
      /** Number of records, the archived ones included. */
      readonly records: number;
      readonly segments: number;
      /** Number of records that are archived and were not read. */
      readonly archived: number;
      /** Number of anchors that match; null if there is no file of anchors, or it cannot be read. */
      readonly anchors: number | null;
      /** Why anchors were not compared; null if all were. */
      readonly anchorTrouble: string | null;
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
