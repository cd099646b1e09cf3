/** Results of the verbs about keys. */
import type { InvitationInfo, InvitationMade } from './invitations.ts';

export interface KeyList {
  readonly user: string;
  readonly keys: readonly KeyInfo[];
}

export interface KeyChange {
  readonly user: string;
  readonly added: readonly KeyInfo[];
  readonly removed: readonly KeyInfo[];
  readonly keys: readonly KeyInfo[];
  readonly operation: string | null;
  /** Whether the user's connections through the host were ended, because a key was removed. */
  readonly connectionsEnded: boolean;
  readonly warnings: readonly string[];
}

/** Result of `keys`: an owner's keys, and the invitations that the owner has open. */
export interface OwnKeyList extends KeyList {
  readonly invitations: readonly InvitationInfo[];
}

/** Result of `keys add`: an invitation for each key that is new. Nothing says whether the key has other containers. */
export interface KeysInvited {
  readonly user: string;
  /** Keys that the container already has. */
  readonly unchanged: readonly KeyInfo[];
  readonly invitations: readonly InvitationMade[];
}

/** Result of `keys remove`. */
export interface OwnKeyChange extends KeyChange {
  readonly cancelled: readonly InvitationInfo[];
}

export interface KeyInfo {
  readonly type: string;
  readonly bits: number | null;
  readonly fingerprint: string;
  readonly comment: string;
  /** As in authorized_keys: type, key, comment. */
  readonly publicKey: string;
  readonly addedAt: string;
  readonly addedBy: string;
}
