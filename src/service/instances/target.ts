/** The container that a call is about. */
import type { Actor } from '../../domain/access/actor.ts';
import { Failure } from '../../domain/failure.ts';
import { NoContainer, parseName, type Username } from '../../domain/values/username.ts';

/** `usage`: the owner has several containers and named none. */
export class UnnamedContainer extends Failure {
  readonly owns: readonly string[];

  constructor(owns: readonly string[]) {
    super('usage', { what: 'the container', why: 'you have several', next: `name one: ${owns.join(', ')}` });
    this.owns = owns;
  }
}

/**
 * Returns the owner's container: the one that `user` names, or the only one. The name of another owner's container gets
 * exactly the answer of an unknown name. Throws `not-found`, or `usage` if `user` is missing and the owner has several.
 */
export function ownContainer(user: Username | undefined, { name, owns = [] }: Actor): Username {
  if (user !== undefined) {
    if (!owns.includes(user)) throw new NoContainer(user);
    return user;
  }
  const [only, ...more] = owns;
  if (only === undefined) throw new NoContainer(name);
  if (more.length > 0) throw new UnnamedContainer(owns);
  return parseName(only);
}

/** Returns the caller's container at self@, and elsewhere the container that `user` names. */
export function targetContainer(verb: string, user: Username | undefined, actor: Actor): Username {
  if (actor.entryPoint === 'self') return ownContainer(user, actor);
  if (user === undefined)
    throw new Failure('usage', {
      what: `"${verb}"`,
      why: 'the argument <user> is missing',
      next: `see "help ${verb}"`,
    });
  return user;
}
