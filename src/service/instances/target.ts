/** Which container a call is about. */
import type { Actor } from '../../domain/access/actor.ts';
import { Failure } from '../../domain/failure.ts';
import { parseUsername, type Username } from '../../domain/values/username.ts';
import { notFound } from './containers.ts';

/**
 * The container of an owner: the one that `user` names, or the only one. A name that is not the owner's gets exactly the
 * answer of a name that does not exist. Throws `not-found`, or `usage` where several are meant.
 */
export function ownContainer(user: Username | undefined, { name, owns = [] }: Actor): Username {
  if (user !== undefined) {
    if (!owns.includes(user))
      throw new Failure('not-found', { what: `container of "${user}"`, why: 'there is no such container' });
    return user;
  }
  const [only, ...more] = owns;
  if (only === undefined) throw notFound(name);
  if (more.length > 0) {
    throw new Failure('usage', {
      what: 'the container',
      why: 'your key opens several',
      next: `name one: ${owns.join(', ')}`,
    });
  }
  return parseUsername(only);
}

/** For verbs of both entry points: at self@ the caller's container, elsewhere the one that `user` names. */
export function targetContainer(verb: string, user: Username | undefined, actor: Actor): Username {
  if (actor.entryPoint === 'self') return ownContainer(user, actor);
  if (user === undefined)
    throw new Failure('usage', { what: `"${verb}"`, why: 'the argument <user> is missing', next: `help ${verb}` });
  return user;
}
