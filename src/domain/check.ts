/**
 * Checks values against schemas, and says in this system's own words what is wrong with a value. Only this module reads
 * what the validator says (lint holds it), so that its texts reach nobody.
 */
import * as z from 'zod';
import { toDotPath } from 'zod/v4/core';
import { Failure } from './failure.ts';
import { joinChoices, printable, quoted } from './text.ts';

/** The first thing that is wrong with a value. */
export interface Misfit {
  /** Where: `ssh.pendingLogins.full`, or empty for the value as a whole. */
  readonly path: string;
  /** The same, as its keys. */
  readonly keys: readonly PropertyKey[];
  /** The reason, as a clause without a full stop: `must be a whole number`. */
  readonly why: string;
  /** The failure of the parser that refused the value, if there was one. */
  readonly failure?: Failure;
}

/** Maximum length of a reason, in characters. The keys that it names may come from anyone. */
const maxWhyLength = 300;

/** Returns the checked value, or the first thing that is wrong with it. A parser's failure comes before the rest. */
export function check<S extends z.ZodType>(
  schema: S,
  raw: unknown,
): { readonly value: z.output<S>; readonly misfit?: undefined } | { readonly misfit: Misfit } {
  const parsed = schema.safeParse(raw, { error: wordsFor });
  if (parsed.success) return { value: parsed.data };
  const { issues } = parsed.error;
  const issue = issues.find((candidate) => failureOf(candidate) !== undefined) ?? issues[0];
  // There is always an issue.
  if (issue === undefined) return { misfit: { path: '', keys: [], why: 'is not valid' } };
  const failure = failureOf(issue);
  return {
    misfit: {
      path: printable(toDotPath(issue.path)),
      keys: issue.path,
      why: issue.message.slice(0, maxWhyLength),
      ...(failure === undefined ? {} : { failure }),
    },
  };
}

/**
 * Names the place and the reason: `ssh.idleMs: must be a whole number`. `whole` names the value as a whole; without it,
 * the reason stands alone.
 */
export function misfitText({ path, why }: Misfit, whole = ''): string {
  const place = path === '' ? whole : path;
  return place === '' ? why : `${place}: ${why}`;
}

/**
 * Returns a schema that turns text into a value. A Failure of `parse` becomes that of the misfit. `kind` says what it
 * must be, for a value that is no text at all: YAML reads a bare number as a number.
 */
export function parsedText<T>(parse: (text: string) => T, kind?: string) {
  const text = kind === undefined ? z.string() : z.string({ error: `must be ${kind}` });
  return text.transform((text, context): T => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      context.addIssue({ code: 'custom', message: error.message, params: { failure: error } });
      return z.NEVER;
    }
  });
}

function failureOf(issue: z.core.$ZodIssue): Failure | undefined {
  const failure: unknown = issue.code === 'custom' ? issue.params?.['failure'] : undefined;
  return failure instanceof Failure ? failure : undefined;
}

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of keys with values',
  record: 'a group of keys with values',
};

/** The reason for an issue whose schema gives none itself. */
function wordsFor(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'is missing';
      return `must be ${kinds[issue.expected] ?? 'of another kind'}`;
    case 'invalid_value':
      return `must be ${joinChoices(issue.values.map((value) => quoted(String(value))))}`;
    case 'too_small':
      if (issue.origin === 'string' && issue.minimum === 1) return 'must not be empty';
      return `must ${amount('at least', issue.minimum, issue.origin)}`;
    case 'too_big':
      return `must ${amount('at most', issue.maximum, issue.origin)}`;
    case 'invalid_format':
      return 'has the wrong format';
    case 'unrecognized_keys':
      return `unknown ${issue.keys.length === 1 ? 'key' : 'keys'} ${issue.keys.map((key) => quoted(key)).join(', ')}`;
    case 'invalid_key':
      return 'has a key that is not allowed';
    default:
      return 'is not valid';
  }
}

const units: Readonly<Record<string, string>> = { string: 'character', array: 'entry', set: 'entry', map: 'entry' };
const plurals: Readonly<Record<string, string>> = { character: 'characters', entry: 'entries' };

function amount(bound: 'at least' | 'at most', limit: number | bigint, origin: string): string {
  const unit = units[origin];
  if (unit === undefined) return `be ${bound} ${limit}`;
  return `have ${bound} ${limit} ${limit === 1 ? unit : (plurals[unit] ?? unit)}`;
}
