/**
 * The name of a user: at once a host account, an account in the container, a part of the instance's name and of an ssh
 * alias.
 */
import { Failure } from '../failure.ts';
import { reservedReason } from './reservedNames.ts';
import { quoted } from '../text.ts';

declare const usernameMark: unique symbol;
/** A string that {@link parseUsername} accepted. */
export type Username = string & { readonly [usernameMark]: true };

/**
 * useradd(8) refuses more than 32 characters, utmp(5) keeps 32 (UT_NAMESIZE). What is derived from the name fits with
 * that: `NAME-container` is 42 characters, an Incus instance name may have 63 (a host name label, RFC 1123).
 */
export const maxUsernameLength = 32;

const rule = /^[a-z](?:[a-z0-9-]*[a-z0-9])?$/;
const ruleSentence = `a user name has 1 to ${maxUsernameLength} lower-case letters a-z, digits and inner hyphens, a letter first`;
const suffix = '-container';

function followsRule(text: string): boolean {
  return text.length <= maxUsernameLength && rule.test(text);
}

/** The first thing that is wrong with `text`, as a clause. */
function fault(text: string): string {
  if (text === '') return 'it is empty';
  if (text.length > maxUsernameLength)
    return `it has ${text.length} characters, and a host account may have ${maxUsernameLength}`;
  if (text !== text.toLowerCase()) return 'it has upper-case letters';
  if (/[^a-z0-9-]/.test(text)) return 'it has characters other than lower-case letters a-z, digits and hyphens';
  if (text.endsWith('-')) return 'it ends with a hyphen';
  return 'it does not begin with a letter';
}

/** A valid name near `text`, or `undefined` where `text` does not look like a name that somebody meant. */
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
 * `text` as a user name, exactly as it stands: nothing is trimmed or folded.
 * Throws `invalid-user`; `details.suggestion` holds a name that would pass, where one is near.
 */
export function parseUsername(text: string): Username {
  const reserved = reservedReason(text);
  if (reserved === undefined && followsRule(text)) return text as Username;
  const near = reserved === undefined ? suggestion(text) : undefined;
  throw new Failure('invalid-user', {
    what: `user name ${quoted(text)}`,
    why: reserved === undefined ? fault(text) : `it is reserved: ${reserved}`,
    next:
      reserved === undefined
        ? `${ruleSentence}${near === undefined ? '' : `; for example: ${near}`}`
        : 'choose another name',
    ...(near === undefined ? {} : { details: { suggestion: near } }),
  });
}

/** The Incus instance of a user: `alice` → `alice-container`. */
export function containerName(user: string): string {
  return `${user}${suffix}`;
}

/**
 * The user whose instance would have this name, or `undefined` where no user's would. It says nothing about who made
 * the instance: that is in the instance's own configuration.
 */
export function ownerOf(instanceName: string): Username | undefined {
  if (!instanceName.endsWith(suffix)) return undefined;
  const name = instanceName.slice(0, -suffix.length);
  return followsRule(name) && reservedReason(name) === undefined ? (name as Username) : undefined;
}
