/** Gives each failure a next step that its caller can take. */
import { advisedFor } from '../../catalogue/advice.ts';
import { didYouMean, similar } from '../../catalogue/similar.ts';
import type { Actor } from '../../domain/access/actor.ts';
import { Failure } from '../../domain/failure.ts';
import { NoContainer } from '../../domain/values/username.ts';
import type { HostContext } from '../../service/instances/context.ts';
import { ownerOfInstance } from '../../service/instances/metadata.ts';

/** How long the answer to a failed call waits for the names of the containers, in milliseconds. */
const namesWithinMs = 1000;

/** Returns `error` as the failure that the caller is told. Never rejects. */
export async function failureFor(
  error: unknown,
  actor: Actor,
  context: Pick<HostContext, 'incus'>,
  signal: AbortSignal,
): Promise<Failure> {
  const failure = Failure.from(error);
  if (!(failure instanceof NoContainer)) return advisedFor(failure, actor);
  const near = similarTo(failure.wanted, await knownNames(actor, context, signal));
  const all =
    actor.entryPoint !== 'self'
      ? '"list" shows all containers'
      : actor.owns === undefined || actor.owns.length === 0
        ? undefined
        : `yours: ${actor.owns.join(', ')}`;
  const next = [near.length === 0 ? undefined : didYouMean(near), all].filter((part) => part !== undefined).join(' ');
  return new Failure(failure.code, { ...failure.toData(), ...(next === '' ? {} : { next }) }, failure.cause);
}

/** Returns the users whose containers the caller may know of; none if Incus does not answer in time. */
async function knownNames(
  { entryPoint, owns = [] }: Actor,
  { incus }: Pick<HostContext, 'incus'>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (entryPoint === 'self') return owns;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(namesWithinMs)]);
  const instances = await incus.instances(limit).catch(() => []);
  return instances.flatMap((instance) => ownerOfInstance(instance) ?? []);
}

function similarTo(wanted: string, names: readonly string[]): readonly string[] {
  return names.includes(wanted) ? [wanted] : similar(wanted, names);
}
