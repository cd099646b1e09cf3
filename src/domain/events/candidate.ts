/** Completion candidates that only core knows. */

/** Kinds of values that core can complete. */
export const candidateKinds = [
  'users',
  'fingerprints',
  'admins',
  'cas',
  'images',
  'labels',
  'sessions',
  'snapshots',
  'trashUsers',
  'trashNames',
  'jobs',
] as const;
export type CandidateKind = (typeof candidateKinds)[number];

export interface Candidate {
  readonly value: string;
  /** Description shown beside the value. */
  readonly says?: string | undefined;
}
