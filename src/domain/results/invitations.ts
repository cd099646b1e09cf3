/** Results of the verbs about invitations. Times in RFC 3339 UTC. */
import type { Role } from '../access/actor.ts';

export interface InvitationInfo {
  readonly id: string;
  readonly kind: 'admin' | 'user';
  /** The admin or user who gets the key. */
  readonly name: string;
  /** The role of a new admin; otherwise null. */
  readonly role: Role | null;
  readonly by: string;
  /** Whether `by` is an owner of the container, who made it at self@, and not an admin. */
  readonly byOwner: boolean;
  /** Fingerprint and comment of the only key that can use the invitation; null if any key can. */
  readonly fingerprint: string | null;
  readonly comment: string | null;
  readonly expiresAt: string;
}

export interface InvitationMade {
  readonly invitation: InvitationInfo;
  /** Shown only once. */
  readonly token: string;
  /** The command for the invited person. */
  readonly command: string;
}
