/**
 * Labels: what an administrator says about a container (`team=blue`), kept as `user.containarium.label.KEY` in Incus.
 */
import { Failure } from '../failure.ts';
import { printable, quoted } from '../text.ts';

export interface Label {
  readonly key: string;
  readonly value: string;
}

/** A key that must be there, and its value where one is asked for. */
export interface LabelSelector {
  readonly key: string;
  readonly value?: string;
}

const maxKeyLength = 63;
const maxValueLength = 255;
const keyRule = /^[a-z0-9][a-z0-9._-]{0,62}$/;

function invalid(text: string, why: string): Failure {
  return new Failure('invalid-label', {
    what: `label ${quoted(text)}`,
    why,
    next: `write KEY=VALUE, as in team=blue; a key is 1 to ${maxKeyLength} characters: a-z, 0-9, dot, underscore, hyphen`,
  });
}

function checkKey(text: string, key: string): string {
  if (keyRule.test(key)) return key;
  if (key === '') throw invalid(text, 'it has no key');
  if (key.length > maxKeyLength) throw invalid(text, `its key has more than ${maxKeyLength} characters`);
  if (/[A-Z]/.test(key)) throw invalid(text, 'its key has upper-case letters');
  throw invalid(text, `${quoted(key)} cannot be a key`);
}

function checkValue(text: string, value: string): string {
  // For Incus an empty value is no value: setting a key to it removes the key.
  if (value === '') throw invalid(text, 'its value is empty');
  if ([...value].length > maxValueLength) throw invalid(text, `its value has more than ${maxValueLength} characters`);
  if (printable(value) !== value) throw invalid(text, 'its value has control or invisible characters');
  if (value.trim() !== value) throw invalid(text, 'its value begins or ends with a blank');
  return value;
}

/** `KEY=VALUE`; the first `=` separates, further ones belong to the value. Throws `invalid-label`. */
export function parseLabel(text: string): Label {
  const separator = text.indexOf('=');
  if (separator === -1) throw invalid(text, 'it has no "="');
  return { key: checkKey(text, text.slice(0, separator)), value: checkValue(text, text.slice(separator + 1)) };
}

/** `KEY` (any value) or `KEY=VALUE`. Throws `invalid-label`. */
export function parseLabelSelector(text: string): LabelSelector {
  return text.includes('=') ? parseLabel(text) : { key: checkKey(text, text) };
}
