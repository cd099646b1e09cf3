/** The fields of a form, derived from the verb's parameters. */
import type { AnyVerb } from '../../catalogue/catalogue.ts';
import { fieldSchema, isRequired, type Option } from '../../catalogue/declaration/verb.ts';
import type { EntryPoint } from '../../domain/access/actor.ts';
import { check } from '../../domain/check.ts';
import { parseLimitedKeys } from '../../domain/keys/keyLimits.ts';

export interface Field {
  /** The name of the property in the verb's input. */
  readonly name: string;
  readonly label: string;
  readonly kind: 'text' | 'keys' | 'switch';
  readonly required: boolean;
  readonly says: string;
  /** Whether it takes several values, separated by blanks or commas. */
  readonly several: boolean;
}

/** Options that a form does not ask for. */
const omitted = new Set(['yes', 'force', 'output']);

export function fieldsOf(verb: AnyVerb, entryPoint: EntryPoint): Field[] {
  const fields: Field[] = verb.parameters
    .filter((parameter) => parameter.kind === 'argument')
    .map((argument) => ({
      name: argument.name,
      label: argument.name,
      kind: 'text',
      required: isRequired(argument, entryPoint),
      says: argument.summary,
      several: false,
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
    if (parameter.kind === 'argument' || omitted.has(parameter.name) || parameter.name === verb.stdin?.into) continue;
    fields.push({
      name: parameter.name,
      label: parameter.long[0],
      kind: kindOf(parameter),
      required: false,
      says: parameter.summary,
      several: parameter.repeatable ?? false,
    });
  }
  return fields;
}

function kindOf(option: Option): Field['kind'] {
  return option.value === undefined ? 'switch' : 'text';
}

/** Returns a field's text as the command line would pass it, or nothing if it is empty. */
export function rawValue(field: Field, text: string): unknown {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  if (field.kind === 'switch') return trimmed === 'yes';
  return field.several ? trimmed.split(/[\s,]+/) : trimmed;
}

/** The result of checking a value. */
export interface Judgement {
  readonly error?: string;
  /** Describes a valid value: the type, fingerprint and comment of a key. */
  readonly about?: string;
}

/** Checks a field's text against the verb's schema. */
export function judge(verb: AnyVerb, field: Field, text: string): Judgement {
  const raw = rawValue(field, text);
  if (raw === undefined) return field.required ? { error: 'a value is required' } : {};
  const schema = fieldSchema(verb, field.name);
  const misfit = schema === undefined ? undefined : check(schema, raw).misfit;
  if (misfit === undefined) return field.kind === 'keys' && typeof raw === 'string' ? { about: describeKeys(raw) } : {};
  const { why, next } = misfit.failure ?? { ...misfit, next: undefined };
  return { error: next === undefined ? why : `${why}; ${next}` };
}

function describeKeys(text: string): string {
  return parseLimitedKeys(text)
    .map(({ key: { type, fingerprint, comment } }) => `${type} ${fingerprint}${comment === '' ? '' : ` ${comment}`}`)
    .join('; ');
}
