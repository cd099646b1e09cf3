/** Gives each failure a next step that its caller can take. */
import { advisedFor } from '../../catalogue/advice.ts';
import { verbAt, type AnyVerb } from '../../catalogue/catalogue.ts';
import { didYouMean, similar } from '../../catalogue/similar.ts';
import type { Actor } from '../../domain/access/actor.ts';
import { Failure } from '../../domain/failure.ts';
import { printable } from '../../domain/text.ts';
import { NoContainer } from '../../domain/values/username.ts';
import type { IncusInstance } from '../../host/incus/documents.ts';
import { inSentences } from '../../host/incus/sentences.ts';
import type { HostContext } from '../../service/instances/context.ts';
import { decodeKeys, field, keyInfo, ownerOfInstance } from '../../service/instances/metadata.ts';
import { UnnamedContainer } from '../../service/instances/target.ts';
import { trashedAmong } from '../../service/trash/record.ts';

/** How long the answer to a failed call waits for the containers of the host, in milliseconds. */
const namesWithinMs = 1000;

/** Returns `error` as the failure that the caller of `verb` is told. Never rejects. */
export async function failureFor(
  error: unknown,
  actor: Actor,
  context: Pick<HostContext, 'incus'>,
  signal: AbortSignal,
  verb?: AnyVerb,
): Promise<Failure> {
  const failure = Failure.from(error);
  if (failure instanceof UnnamedContainer && verb !== undefined) return unnamedFor(failure, verb);
  if (!(failure instanceof NoContainer)) return advisedFor(inSentences(failure), actor);
  const instances = await instancesNow(context, signal);
  const deleted = deletedOf(failure.wanted, instances, actor);
  if (deleted !== undefined) return advisedFor(new Failure('not-found', { ...failure.toData(), ...deleted }), actor);
  const near = similarTo(failure.wanted, knownNames(actor, instances));
  const all =
    actor.entryPoint !== 'self'
      ? '"list" shows all containers'
      : actor.owns === undefined || actor.owns.length === 0
        ? undefined
        : `yours: ${actor.owns.join(', ')}`;
  const next = [near.length === 0 ? undefined : didYouMean(near), all].filter((part) => part !== undefined).join(' ');
  return new Failure(failure.code, { ...failure.toData(), ...(next === '' ? {} : { next }) }, failure.cause);
}

/** Says how to name a container where the user is an option of the verb. */
function unnamedFor(failure: UnnamedContainer, verb: AnyVerb): Failure {
  const isOption = verbAt(verb, 'self').parameters.some(({ kind, name }) => kind === 'option' && name === 'user');
  const [first = '', ...others] = failure.owns;
  const next = `add --user ${first}, or another of yours: ${others.join(', ')}`;
  return isOption ? new Failure(failure.code, { ...failure.toData(), next }) : failure;
}

/** Returns the instances of the host; none if Incus does not answer in time. */
async function instancesNow(
  { incus }: Pick<HostContext, 'incus'>,
  signal: AbortSignal,
): Promise<readonly IncusInstance[]> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(namesWithinMs)]);
  return incus.instances(limit).catch(() => []);
}

/** Returns the users whose containers the caller may know of. */
function knownNames({ entryPoint, owns = [] }: Actor, instances: readonly IncusInstance[]): readonly string[] {
  return entryPoint === 'self' ? owns : instances.flatMap((instance) => ownerOfInstance(instance) ?? []);
}

/**
 * Says when the container was deleted and how to restore it, if the trash has it. Owners are told it only of a
 * container that their key opened: to others, a container that was deleted and one that never was look the same.
 */
function deletedOf(
  user: string,
  instances: readonly IncusInstance[],
  { entryPoint, fingerprint }: Actor,
): { readonly why: string; readonly next: string } | undefined {
  const trashed = trashedAmong(instances, user);
  const newest = trashed.findLast(
    ({ instance }) =>
      entryPoint !== 'self' ||
      decodeKeys(instance.config[field.keys]).some((key) => keyInfo(key).fingerprint === fingerprint),
  );
  if (newest === undefined) return undefined;
  const { at, by } = newest.record;
  const name = trashed.length === 1 ? '' : ` ${newest.instance.name}`;
  return {
    why: `it was deleted ${at.slice(0, 16)}Z by ${printable(by)}`,
    next: `restore it: "trash restore ${user}${name}"`,
  };
}

function similarTo(wanted: string, names: readonly string[]): readonly string[] {
  return names.includes(wanted) ? [wanted] : similar(wanted, names);
}
