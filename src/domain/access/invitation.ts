/** One-time invitations: `ssh -p 2222 invite-TOKEN@jump` binds the key that the client logs in with. */
import { randomBytes } from 'node:crypto';

/** The base32 alphabet of RFC 4648 section 6, in lower case because clients often fold login names. */
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
const tokenLength = 32;
const prefix = 'invite-';

/** Returns a token of 160 random bits, always of the same length. */
export function newToken(): string {
  // 256 is a multiple of 32, so every letter is equally likely.
  return [...randomBytes(tokenLength)].map((byte) => alphabet[byte % 32]).join('');
}

/** Returns the login name for a token. */
export function invitationLogin(token: string): string {
  return `${prefix}${token}`;
}

/** Returns the token in a login name, or undefined for any other login name. */
export function tokenOf(username: string): string | undefined {
  return /^invite-([a-z2-7]{32})$/.exec(username)?.[1];
}
