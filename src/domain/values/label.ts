/** Labels that admins attach to containers (`team=blue`), stored as `user.containarium.label.KEY` in Incus. */
import { Failure } from '../failure.ts';
import { printable, quoted } from '../text.ts';

export interface Label {
  readonly key: string;
  readonly value: string;
}

/** A required key and, optionally, its required value. */
export interface LabelSelector {
  readonly key: string;
  readonly value?: string;
}

const maxKeyLength = 63;
const maxValueLength = 255;
const keyRule = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** What a label may look like where it is typed, with an example. */
type Form =
  'KEY=VALUE, for example team=blue' | 'KEY or KEY=VALUE, for example team or team=blue' | 'KEY, for example team';

function invalid(text: string, why: string, form: Form): Failure {
  return new Failure('invalid-label', {
    what: `label ${quoted(text)}`,
    why,
    next: `use ${form}; a key has 1 to ${maxKeyLength} characters from a-z, 0-9, ".", "_" and "-"`,
  });
}

function checkKey(text: string, key: string, form: Form): string {
  if (keyRule.test(key)) return key;
  if (key === '') throw invalid(text, 'no key', form);
  if (key.length > maxKeyLength) throw invalid(text, `key with more than ${maxKeyLength} characters`, form);
  if (/[A-Z]/.test(key)) throw invalid(text, 'upper-case letters in the key', form);
  throw invalid(text, `invalid key ${quoted(key)}`, form);
}

function checkValue(text: string, value: string, form: Form): string {
  // Incus removes a key that is set to an empty value.
  if (value === '') throw invalid(text, 'empty value', form);
  if ([...value].length > maxValueLength)
    throw invalid(text, `value with more than ${maxValueLength} characters`, form);
  if (printable(value) !== value) throw invalid(text, 'control or invisible characters in the value', form);
  if (value.trim() !== value) throw invalid(text, 'space at the beginning or end of the value', form);
  return value;
}

/** Parses `KEY=VALUE`, split at the first `=`. Throws `invalid-label`. */
export function parseLabel(text: string): Label {
  return parsePair(text, 'KEY=VALUE, for example team=blue');
}

function parsePair(text: string, form: Form): Label {
  const separator = text.indexOf('=');
  if (separator === -1) throw invalid(text, 'no "="', form);
  return {
    key: checkKey(text, text.slice(0, separator), form),
    value: checkValue(text, text.slice(separator + 1), form),
  };
}

/** Parses the key of a label. Throws `invalid-label`. */
export function parseLabelKey(text: string): string {
  return checkKey(text, text, 'KEY, for example team');
}

/** Parses `KEY` (any value) or `KEY=VALUE`. Throws `invalid-label`. */
export function parseLabelSelector(text: string): LabelSelector {
  const form = 'KEY or KEY=VALUE, for example team or team=blue';
  return text.includes('=') ? parsePair(text, form) : { key: checkKey(text, text, form) };
}
