/** One-time invitations: `ssh -p 2222 invite-TOKEN@jump` binds the key that the caller logs in with. */
import { randomBytes } from 'node:crypto';

/** RFC 4648, section 6, in lower case: login names are often folded. */
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
const tokenLength = 32;
const prefix = 'invite-';

/** 160 random bits. A token has the same length always. */
export function newToken(): string {
  // 256 is a multiple of 32: no letter comes more often than another.
  return [...randomBytes(tokenLength)].map((byte) => alphabet[byte % 32]).join('');
}

/** The login name that a token is used with. */
export function invitationLogin(token: string): string {
  return `${prefix}${token}`;
}

/** The token in a login name; undefined where it is none. */
export function tokenOf(username: string): string | undefined {
  return /^invite-([a-z2-7]{32})$/.exec(username)?.[1];
}
