/** Results of the verbs about the end of a container's life. Times in RFC 3339 UTC. */
export interface LifetimeChange {
  readonly user: string;
  readonly container: string;
  /** When the container moves to the trash by itself; null for never. */
  readonly expiresAt: string | null;
  readonly changed: boolean;
  readonly operation: string | null;
}
