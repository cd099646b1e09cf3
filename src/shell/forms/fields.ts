/** The fields of a form, derived from the verb's parameters. */
import type { AnyVerb } from '../../catalogue/catalogue.ts';
import { selectors } from '../../catalogue/declaration/several.ts';
import { fieldSchema, isRequired, isSpared, type Option } from '../../catalogue/declaration/verb.ts';
import { joinWords, splitLine } from '../../catalogue/tokens.ts';
import type { EntryPoint } from '../../domain/access/actor.ts';
import { check } from '../../domain/check.ts';
import { Failure } from '../../domain/failure.ts';
import { parseLimitedKeys } from '../../domain/keys/keyLimits.ts';
import { quoted } from '../../domain/text.ts';

export interface Field {
  /** The name of the property in the verb's input. */
  readonly name: string;
  readonly label: string;
  readonly kind: 'text' | 'keys' | 'switch';
  readonly required: boolean;
  readonly says: string;
  /** Whether it takes several values, which are quoted and separated as on the command line. */
  readonly several: boolean;
}

/** Options that a form does not ask for, besides those that name a file. */
const omitted = new Set(['yes', 'force']);

type Input = Readonly<Record<string, unknown>>;

/** Returns the fields of a form. What selects containers is given on the command line alone. */
export function fieldsOf(verb: AnyVerb, entryPoint: EntryPoint, given: Input = {}): Field[] {
  const fields: Field[] = verb.parameters
    .filter((parameter) => parameter.kind === 'argument')
    .filter((argument) => given[argument.name] !== undefined || !isSpared(argument, given))
    .map((argument) => ({
      name: argument.name,
      label: argument.name,
      kind: 'text',
      required: isRequired(argument, entryPoint),
      says: saysOf(argument.summary, argument.rest),
      several: argument.rest ?? false,
    }));
  if (verb.stdin !== undefined) {
    fields.push({
      name: verb.stdin.into,
      label: 'public key',
      kind: 'keys',
      required: verb.stdin.required,
      says: 'paste the line from the .pub file',
      several: false,
    });
  }
  for (const parameter of verb.parameters) {
    if (parameter.kind === 'argument' || omitted.has(parameter.name) || parameter.file !== undefined) continue;
    if (parameter.name === verb.stdin?.into) continue;
    if (verb.several === true && selectors.some((name) => name === parameter.name)) continue;
    fields.push({
      name: parameter.name,
      label: parameter.long[0],
      kind: kindOf(parameter),
      required: false,
      says: saysOf(parameter.summary, parameter.repeatable),
      several: parameter.repeatable ?? false,
    });
  }
  return fields;
}

/** Returns the given values for which a form has no field: they stay as they are. */
export function carried(fields: readonly Field[], given: Input): Input {
  return Object.fromEntries(Object.entries(given).filter(([name]) => fields.every((field) => field.name !== name)));
}

/** Returns the labels of the fields with these names. */
export function labelsOf(fields: readonly Field[], names: readonly string[]): string[] {
  return fields.filter(({ name }) => names.includes(name)).map(({ label }) => label);
}

function saysOf(summary: string, several = false): string {
  return several ? `${summary}; put blanks between several, and one that has blanks in quotes` : summary;
}

function kindOf(option: Option): Field['kind'] {
  return option.value === undefined ? 'switch' : 'text';
}

/** Returns a command-line value as the text of a field, from which {@link rawValue} returns it. */
export function fieldText(given: unknown): string {
  if (typeof given === 'boolean') return given ? 'yes' : 'no';
  if (Array.isArray(given)) return joinWords(given.map(String));
  return typeof given === 'string' && given !== '-' ? given : '';
}

/**
 * Returns a field's text as the command line would pass it, or nothing if it is empty. Throws `shell-syntax` where the
 * command line would refuse several values.
 */
export function rawValue(field: Field, text: string): unknown {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  if (field.kind === 'switch') return trimmed === 'yes';
  return field.several ? splitLine(trimmed) : trimmed;
}

/** The result of checking a value. */
export interface Judgement {
  readonly error?: string;
  /** Describes a valid value: the type, fingerprint and comment of a key, or which values several are. */
  readonly about?: string;
}

/** Checks a field's text against the verb's schema. */
export function judge(verb: AnyVerb, field: Field, text: string): Judgement {
  let raw: unknown;
  try {
    raw = rawValue(field, text);
  } catch (error) {
    return { error: `${field.label}: ${reasonOf(Failure.from(error))}` };
  }
  if (raw === undefined) return field.required ? { error: `${field.label} is required` } : {};
  const schema = fieldSchema(verb, field.name);
  const misfit = schema === undefined ? undefined : check(schema, raw).misfit;
  const several = Array.isArray(raw) && raw.length > 1 ? raw.map((value) => quoted(String(value))) : undefined;
  if (misfit?.failure !== undefined)
    return { error: `${several === undefined ? field.label : misfit.failure.what}: ${reasonOf(misfit.failure)}` };
  if (misfit !== undefined) return { error: `${field.label} ${misfit.why}` };
  if (several !== undefined) return { about: `${several.length} values: ${several.join(', ')}` };
  return field.kind === 'keys' && typeof raw === 'string' ? { about: describeKeys(raw) } : {};
}

function reasonOf({ why, next }: Failure): string {
  return next === undefined ? why : `${why}; ${next}`;
}

function describeKeys(text: string): string {
  return parseLimitedKeys(text)
    .map(({ key: { type, fingerprint, comment } }) => `${type} ${fingerprint}${comment === '' ? '' : ` ${comment}`}`)
    .join('; ');
}
