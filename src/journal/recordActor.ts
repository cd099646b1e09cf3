import type { Actor } from '../domain/access/actor.ts';
import type { JsonObject } from '../domain/json.ts';

/**
 * Returns the journal's form of an actor. An owner of several containers is recorded with all of them: the login has
 * the name of one, and the call may be about another.
 */
export function recordActor(actor: Actor): JsonObject {
  return {
    name: actor.name,
    role: actor.role,
    entryPoint: actor.entryPoint,
    ...(actor.fingerprint === undefined ? {} : { fingerprint: actor.fingerprint }),
    ...(actor.address === undefined ? {} : { address: actor.address }),
    ...(actor.owns === undefined || actor.owns.length < 2 ? {} : { owns: [...actor.owns] }),
    ...(actor.certificate === undefined ? {} : { certificate: { ...actor.certificate } }),
    ...(actor.login === undefined ? {} : { login: actor.login }),
  };
}
