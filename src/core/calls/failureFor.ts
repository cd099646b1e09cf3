/** Gives each failure a next step that its caller can take. */
import { advisedFor } from '../../catalogue/advice.ts';
import { didYouMean, similar } from '../../catalogue/similar.ts';
import type { Actor } from '../../domain/access/actor.ts';
import { Failure } from '../../domain/failure.ts';
import { NoContainer } from '../../domain/values/username.ts';
import type { HostContext } from '../../service/instances/context.ts';
import { ownerOfInstance } from '../../service/instances/metadata.ts';

/** Returns `error` as the failure that the caller is told. Never rejects. */
export async function failureFor(error: unknown, actor: Actor, context: Pick<HostContext, 'incus'>): Promise<Failure> {
  const failure = Failure.from(error);
  if (!(failure instanceof NoContainer)) return advisedFor(failure, actor);
  const near = failure.next ?? (await nearNames(failure.user, actor, context));
  const all =
    actor.entryPoint !== 'self'
      ? '"list" shows all containers'
      : actor.owns === undefined || actor.owns.length === 0
        ? undefined
        : `yours: ${actor.owns.join(', ')}`;
  const next = [near, all].filter((part) => part !== undefined).join(' ');
  return new Failure(failure.code, { ...failure.toData(), ...(next === '' ? {} : { next }) }, failure.cause);
}

/** Returns a suggestion from the names that the caller may know, or nothing if Incus does not answer. */
async function nearNames(
  user: string,
  { entryPoint, owns = [] }: Actor,
  { incus }: Pick<HostContext, 'incus'>,
): Promise<string | undefined> {
  const names =
    entryPoint === 'self'
      ? owns
      : (await incus.instances().catch(() => [])).flatMap((instance) => ownerOfInstance(instance) ?? []);
  const near = similar(user, names);
  return near.length === 0 ? undefined : didYouMean(near);
}
