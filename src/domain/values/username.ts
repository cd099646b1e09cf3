/** User names. A name is an account on the host and in the container, and part of an instance name and an ssh alias. */
import { Failure } from '../failure.ts';
import { reservedReason } from './reservedNames.ts';
import { quoted } from '../text.ts';

declare const usernameMark: unique symbol;
/** A string that follows the rule for names. */
export type Username = string & { readonly [usernameMark]: true };

/**
 * useradd(8) refuses more than 32 characters, and utmp(5) stores 32 (UT_NAMESIZE). Derived names fit as well:
 * `NAME-container` has at most 42 characters, and an Incus instance name may have 63 (a host name label, RFC 1123).
 */
export const maxUsernameLength = 32;

const rule = /^[a-z](?:[a-z0-9-]*[a-z0-9])?$/;
const advice = `use 1 to ${maxUsernameLength} lower-case letters, digits and hyphens, starting with a letter and not ending with a hyphen`;
const suffix = '-container';

/** Reports whether `text` follows the rule for names. */
export function isName(text: string): boolean {
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
    .replace(/(?<!-)-+$/, '')
    .replace(/(?:-container)+$/, '');
  return name !== text && isName(name) && reservedReason(name) === undefined ? name : undefined;
}

/**
 * Checks the name of a new user. Nothing is trimmed or folded. Throws `invalid-user`, with a similar valid name in
 * `details.suggestion` if there is one.
 */
export function parseNewUsername(text: string): Username {
  const reserved = reservedReason(text);
  if (reserved !== undefined)
    throw invalidName(`user name ${quoted(text)}`, `reserved: ${reserved}`, 'choose another name');
  if (text.endsWith(suffix) && rule.test(text)) {
    const owner = text.replace(/(?:-container)+$/, '');
    const isAllowed = isName(owner) && reservedReason(owner) === undefined;
    throw invalidName(
      `user name ${quoted(text)}`,
      `only the names of containers end with "${suffix}"`,
      isAllowed ? `give the user name alone: ${owner}` : 'choose another name',
      isAllowed ? owner : undefined,
    );
  }
  return ruled(`user name ${quoted(text)}`, text);
}

/** Checks the name of an admin or a CA, or a user name that exists. Throws `invalid-user`. */
export function parseName(text: string): Username {
  return ruled(`name ${quoted(text)}`, text);
}

/** Returns the user of a container's name, and any other text as it is. */
export function userOf(text: string): string {
  return text.endsWith(suffix) ? text.slice(0, -suffix.length) : text;
}

/**
 * Returns the user that `text` names, by the user name or by the name of the container. Throws `not-found` for a text
 * that no user can have.
 */
export function findUsername(text: string): Username {
  const name = userOf(text);
  if (isName(name)) return name as Username;
  throw new NoContainer(text, suggestion(name));
}

/** `not-found`: the user has no container. */
export class NoContainer extends Failure {
  /** The user as typed, or the valid name that is closest to it. */
  readonly wanted: string;

  constructor(user: string, wanted = user) {
    super('not-found', { what: `container of ${quoted(user)}`, why: 'no such container' });
    this.wanted = wanted;
  }
}

function ruled(what: string, text: string): Username {
  if (isName(text)) return text as Username;
  const near = suggestion(text);
  throw invalidName(what, fault(text), `${advice}${near === undefined ? '' : `; for example: ${near}`}`, near);
}

function invalidName(what: string, why: string, next: string, near?: string): Failure {
  return new Failure('invalid-user', {
    what,
    why,
    next,
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
  return isName(name) && reservedReason(name) === undefined ? (name as Username) : undefined;
}
