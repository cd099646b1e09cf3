/** Schemas for the inputs of verbs. A refused value keeps the code, reason and next step of its domain parser. */
import * as z from 'zod';
import { check, misfitText, parsedText, type Misfit } from '../../domain/check.ts';
import { Failure } from '../../domain/failure.ts';
import { parseCpuCount } from '../../domain/values/cpu.ts';
import { parseImage } from '../../domain/values/image.ts';
import { parseLabel, parseLabelSelector, type Label } from '../../domain/values/label.ts';
import { AddressList } from '../../domain/values/addressList.ts';
import { parseLimitedKeys } from '../../domain/keys/keyLimits.ts';
import { parsePublicKey, parsePublicKeys } from '../../domain/keys/publicKey.ts';
import { parseProcessLimit } from '../../domain/values/processes.ts';
import { parseSize } from '../../domain/values/size.ts';
import { parseUntil } from '../../domain/values/time.ts';
import { quoted } from '../../domain/text.ts';
import { findUsername, isName, parseName, parseNewUsername } from '../../domain/values/username.ts';
import type { Parameter, Verb } from './verb.ts';

/** Returns a schema that turns a string into a domain value. A Failure of `parse` becomes that of the whole input. */
export function parsedBy<T>(parse: (text: string) => T, maxLength = 256) {
  return parsedText((text) => {
    if (text.length > maxLength) {
      throw new Failure('input-too-large', {
        what: quoted(text, 20),
        why: `longer than ${maxLength} characters`,
        next: 'shorten it',
      });
    }
    return parse(text);
  });
}

/** A user with a container: the user name or the name of the container. */
export const username = parsedBy(findUsername);
export const newUsername = parsedBy(parseNewUsername);
/** The name of a new admin or CA. */
export const newName = parsedBy(parseName);

/**
 * Returns a schema for the name, or the id, of something that may exist. A text that can be neither is `not-found`;
 * `list` is the verb that shows what there is.
 */
export function existing(what: string, list: string, isId?: (text: string) => boolean) {
  return parsedBy((text) => {
    if (isName(text) || isId?.(text) === true) return text;
    throw new Failure('not-found', {
      what: `${what} ${quoted(text)}`,
      why: `no ${what} has this ${isId === undefined ? 'name' : 'id or name'}`,
      next: `see "${list}"`,
    });
  });
}

export const size = parsedBy(parseSize);
export const cpuCount = parsedBy(parseCpuCount);
export const processLimit = parsedBy(parseProcessLimit);
export const imageReference = parsedBy(parseImage);
const label = parsedBy(parseLabel, 400);
export const labelSelector = parsedBy(parseLabelSelector, 400);
/** Labels to set. A key that is given twice has no value that is meant. */
export function labelsToSet(most: number) {
  return z
    .array(label)
    .max(most)
    .refine((labels) => repeatedKey(labels) === undefined, {
      error: ({ input }) => `gives the key ${quoted(repeatedKey(input as readonly Label[]) ?? '')} twice`,
    });
}

function repeatedKey(labels: readonly Label[]): string | undefined {
  return labels.find(({ key }, at) => labels.findIndex((other) => other.key === key) !== at)?.key;
}

/** One or more public keys, at most 64 KiB. */
export const publicKeys = parsedBy(parsePublicKeys, 65_536);
export const publicKey = parsedBy(parsePublicKey, 65_536);
/** Public keys with authorized_keys options before them. */
export const limitedKeys = parsedBy(parseLimitedKeys, 65_536);
/** Addresses and networks, as text. */
export const addressList = parsedBy((text) => AddressList.parse(text).text, 2048);
/** A time in the future, as RFC 3339 UTC. */
export const untilWhen = parsedBy((text) => parseUntil(text, new Date()).toISOString());

/** Text without a form of its own. An empty one, as of a variable that is not set, is not a missing one. */
export function someText(maxLength: number) {
  return z.string().regex(/\S/, { error: 'must not be empty' }).max(maxLength);
}

/** A name, fingerprint or comment of a key. A comment may be longer in its file than what is kept of it. */
export const keySelector = someText(4096);

/** A whole number: text on a command line, a number from a program. */
export function wholeNumber(least: number, most: number) {
  const error = `must be a whole number from ${least} to ${most}`;
  const digits = z.string().regex(/^\d{1,15}$/);
  return z
    .union([digits.transform(Number), z.number()], { error })
    .pipe(z.int({ error }).min(least, { error }).max(most, { error }));
}

/** Checks `raw` against a verb's schema. Throws the Failure of the first refused value. */
export function checkInput<S extends z.ZodType>(
  verb: Pick<Verb<S, never>, 'name' | 'parameters' | 'input'>,
  raw: unknown,
): z.output<S> {
  const checked = check(verb.input(), raw);
  if (checked.misfit === undefined) return checked.value;
  const { misfit } = checked;
  throw (
    misfit.failure ??
    new Failure('usage', {
      what: quoted(verb.name),
      why: whyRefused(verb.parameters, misfit, raw),
      next: `see "help ${verb.name}"`,
    })
  );
}

/** Returns the reason with the parameter as its caller types it: `--limit must be a whole number …, not "x"`. */
function whyRefused(parameters: readonly Parameter[], misfit: Misfit, raw: unknown): string {
  const [property] = misfit.keys;
  const parameter = parameters.find(({ name }) => name === property);
  if (parameter === undefined) return misfitText(misfit);
  const label = parameter.kind === 'argument' ? `<${parameter.name}>` : `--${parameter.long[0]}`;
  const value = misfit.keys.reduce<unknown>((inside, key) => (inside as Record<PropertyKey, unknown>)[key], raw);
  const isNamed = typeof value === 'string' && misfit.why.startsWith('must be ');
  return `${label} ${misfit.why}${isNamed ? `, not ${quoted(value)}` : ''}`;
}
