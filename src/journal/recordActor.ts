import type { Actor } from '../domain/access/actor.ts';
import type { JsonObject } from '../domain/json.ts';

/** Returns the journal's form of an actor. */
export function recordActor(actor: Actor): JsonObject {
  return {
    name: actor.name,
    role: actor.role,
    entryPoint: actor.entryPoint,
    ...(actor.fingerprint === undefined ? {} : { fingerprint: actor.fingerprint }),
    ...(actor.address === undefined ? {} : { address: actor.address }),
    ...(actor.certificate === undefined ? {} : { certificate: { ...actor.certificate } }),
    ...(actor.login === undefined ? {} : { login: actor.login }),
  };
}
