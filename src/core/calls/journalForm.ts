/** The journal's form of a call: public keys become fingerprints, and unchecked values are left out. */
import type { AnyVerb } from '../../catalogue/catalogue.ts';
import { targetOf } from '../../catalogue/declaration/verb.ts';
import type { Actor } from '../../domain/access/actor.ts';
import type { JsonObject, JsonValue } from '../../domain/json.ts';

/**
 * Returns the target of a call for its record. Refused calls are recorded too, so the input need not be valid as a
 * whole; a target that the verb does not accept is left out. If an owner with exactly one container names none, that
 * is the target.
 */
export function recordedTarget(
  verb: AnyVerb,
  input: Readonly<Record<string, unknown>>,
  { entryPoint, owns = [] }: Actor,
): { readonly target?: string } {
  const [only, ...more] = owns;
  const implied = verb.target === 'user' && entryPoint === 'self' && input['user'] === undefined && more.length === 0;
  const target = implied ? only : (targetOf(verb, input) ?? undefined);
  return target === undefined ? {} : { target };
}

/** Returns checked input as JSON: a key becomes its fingerprint and its limits, a network its text. */
export function forJournal(input: unknown): JsonObject {
  return Object.fromEntries(
    Object.entries(input as Record<string, unknown>).map(([key, value]) => [key, plain(value)]),
  );
}

function plain(value: unknown): JsonValue {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object') return null;
  if ('fingerprint' in value && typeof value.fingerprint === 'string') {
    const limits =
      'limits' in value && typeof value.limits === 'object' && value.limits !== null
        ? Object.entries(value.limits)
        : [];
    return limits.length === 0
      ? value.fingerprint
      : { fingerprint: value.fingerprint, ...Object.fromEntries(limits.map(([key, limit]) => [key, plain(limit)])) };
  }
  if ('text' in value && typeof value.text === 'string') return value.text;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
