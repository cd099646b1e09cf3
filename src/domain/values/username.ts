/** User names. A name is an account on the host and in the container, and part of an instance name and an ssh alias. */
import { Failure } from '../failure.ts';
import { reservedReason } from './reservedNames.ts';
import { quoted } from '../text.ts';

declare const usernameMark: unique symbol;
/** A string accepted by {@link parseUsername}. */
export type Username = string & { readonly [usernameMark]: true };

/**
 * useradd(8) refuses more than 32 characters, and utmp(5) stores 32 (UT_NAMESIZE). Derived names fit as well:
 * `NAME-container` has at most 42 characters, and an Incus instance name may have 63 (a host name label, RFC 1123).
 */
export const maxUsernameLength = 32;

const rule = /^[a-z](?:[a-z0-9-]*[a-z0-9])?$/;
const advice = `use 1 to ${maxUsernameLength} lower-case letters, digits and hyphens, starting with a letter and not ending with a hyphen`;
const suffix = '-container';

function followsRule(text: string): boolean {
  return text.length <= maxUsernameLength && rule.test(text);
}

/** Returns the first fault of `text`, as a clause. */
function fault(text: string): string {
  if (text === '') return 'empty';
  if (text.length > maxUsernameLength) return `${text.length} characters, but at most ${maxUsernameLength} are allowed`;
  if (text !== text.toLowerCase()) return 'upper-case letters are not allowed';
  if (/[^a-z0-9-]/.test(text)) return 'only a-z, 0-9 and hyphens are allowed';
  if (text.endsWith('-')) return 'it ends with a hyphen';
  return 'it does not begin with a letter';
}

/** Returns a valid name close to `text`, or `undefined` if `text` does not look like an attempted name. */
function suggestion(text: string): string | undefined {
  if (text.length > 64 || !/^[\p{L}\p{M}\p{N}._@ -]+$/u.test(text)) return undefined;
  const name = (text.split('@')[0] ?? '')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, maxUsernameLength)
    .replace(/-+$/, '');
  return name !== text && followsRule(name) && reservedReason(name) === undefined ? name : undefined;
}

/**
 * Checks a user name. Nothing is trimmed or folded. Throws `invalid-user`, with a similar valid name in
 * `details.suggestion` if there is one.
 */
export function parseUsername(text: string): Username {
  const reserved = reservedReason(text);
  if (reserved === undefined && followsRule(text)) return text as Username;
  const near = reserved === undefined ? suggestion(text) : undefined;
  throw new Failure('invalid-user', {
    what: `user name ${quoted(text)}`,
    why: reserved === undefined ? fault(text) : `reserved: ${reserved}`,
    next:
      reserved === undefined ? `${advice}${near === undefined ? '' : `; for example: ${near}`}` : 'choose another name',
    ...(near === undefined ? {} : { details: { suggestion: near } }),
  });
}

/** Returns the name of a user's Incus instance: `alice-container` for `alice`. */
export function containerName(user: string): string {
  return `${user}${suffix}`;
}

/**
 * Returns the user whose instance would have this name, or `undefined` if there can be none. The name does not show who
 * created the instance; its configuration does.
 */
export function ownerOf(instanceName: string): Username | undefined {
  if (!instanceName.endsWith(suffix)) return undefined;
  const name = instanceName.slice(0, -suffix.length);
  return followsRule(name) && reservedReason(name) === undefined ? (name as Username) : undefined;
}
