/** Which ended calls a person is told about. */
import { isVerbName, verbNamed } from '../../catalogue/catalogue.ts';
import type { Actor } from '../../domain/access/actor.ts';
import type { EndedCall } from '../../domain/events/notice.ts';

/**
 * Returns whether an ended call concerns an actor. Verbs that only read do not: their failures are in the journal, but
 * matter to their caller alone.
 */
export function concerns(actor: Actor, { verb, target }: Pick<EndedCall, 'verb' | 'target'>): boolean {
  const changes = isVerbName(verb) && verbNamed(verb).changes;
  return changes && (actor.entryPoint !== 'self' || (target !== null && actor.owns?.includes(target) === true));
}
