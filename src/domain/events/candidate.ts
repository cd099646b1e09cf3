/** Values for completion that only the host knows. */

/** What core can complete. */
export const candidateKinds = ['users', 'fingerprints', 'admins', 'cas', 'images', 'labels', 'sessions'] as const;
export type CandidateKind = (typeof candidateKinds)[number];

export interface Candidate {
  readonly value: string;
  /** Shown beside the value. */
  readonly says?: string | undefined;
}
