/** What the records of operations have in common. */
import type { FailureData } from '../domain/failure.ts';
import type { JsonObject } from '../domain/json.ts';
import type { OpenOperation } from './openOperations.ts';

/** Returns the fields by which an audit query finds a record of an operation. */
export function auditFields({ verb, target, actor }: OpenOperation): {
  verb: string;
  target: string;
  actor: JsonObject;
} {
  return { verb, target, actor: { ...actor } };
}

/**
 * Returns the same fields for a step's record. Of the actor it has what tells an owner from an admin of the same name;
 * the operation's record has the rest.
 */
export function briefAuditFields({
  verb,
  target,
  actor: { name, entryPoint },
}: OpenOperation): ReturnType<typeof auditFields> {
  return { verb, target, actor: { name, entryPoint } };
}

export function asJson(data: FailureData): JsonObject {
  return JSON.parse(JSON.stringify(data)) as JsonObject;
}
