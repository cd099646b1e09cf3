/** Results of the verbs about invitations. Times in RFC 3339 UTC. */
import type { Role } from '../access/actor.ts';

export interface InvitationInfo {
  readonly id: string;
  readonly kind: 'admin' | 'user';
  /** The admin or user whose key it will be. */
  readonly name: string;
  /** Of a new admin. */
  readonly role: Role | null;
  readonly by: string;
  readonly expiresAt: string;
}

export interface InvitationMade {
  readonly invitation: InvitationInfo;
  /** Shown this once. */
  readonly token: string;
  /** What the invited person types. */
  readonly command: string;
}
