/** Schemas for the inputs of verbs. A refused value keeps the code, reason and next step of its domain parser. */
import type { z } from 'zod';
import { check, misfitText, parsedText } from '../../domain/check.ts';
import { Failure } from '../../domain/failure.ts';
import { parseCpuCount } from '../../domain/values/cpu.ts';
import { parseImage } from '../../domain/values/image.ts';
import { parseLabel, parseLabelSelector } from '../../domain/values/label.ts';
import { AddressList } from '../../domain/values/addressList.ts';
import { parseLimitedKeys } from '../../domain/keys/keyLimits.ts';
import { parsePublicKey, parsePublicKeys } from '../../domain/keys/publicKey.ts';
import { parseProcessLimit } from '../../domain/values/processes.ts';
import { parseSize } from '../../domain/values/size.ts';
import { parseUntil } from '../../domain/values/time.ts';
import { quoted } from '../../domain/text.ts';
import { findUsername, isName, parseName, parseNewUsername } from '../../domain/values/username.ts';

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
export const label = parsedBy(parseLabel, 400);
export const labelSelector = parsedBy(parseLabelSelector, 400);
/** One or more public keys, at most 64 KiB. */
export const publicKeys = parsedBy(parsePublicKeys, 65_536);
export const publicKey = parsedBy(parsePublicKey, 65_536);
/** Public keys with authorized_keys options before them. */
export const limitedKeys = parsedBy(parseLimitedKeys, 65_536);
/** Addresses and networks, as text. */
export const addressList = parsedBy((text) => AddressList.parse(text).text, 2048);
/** A time in the future, as RFC 3339 UTC. */
export const untilWhen = parsedBy((text) => parseUntil(text, new Date()).toISOString());

/** Checks `raw` against a verb's schema. Throws the Failure of the first refused value. */
export function checkInput<S extends z.ZodType>(verb: string, schema: S, raw: unknown): z.output<S> {
  const checked = check(schema, raw);
  if (checked.misfit === undefined) return checked.value;
  throw (
    checked.misfit.failure ??
    new Failure('usage', {
      what: quoted(verb),
      why: misfitText(checked.misfit),
      next: `see "help ${verb}"`,
    })
  );
}
