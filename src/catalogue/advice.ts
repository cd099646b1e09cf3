/** The next step of a failure: commands of this system stand in it in double quotes. */
import type { Actor } from '../domain/access/actor.ts';
import { Failure } from '../domain/failure.ts';
import { mayUse, verbOf, type AnyVerb } from './catalogue.ts';

/** A command in the text of a next step. */
export interface AdvisedCommand {
  readonly words: readonly string[];
  readonly verb: AnyVerb;
}

/** Returns the commands in `next`. Other quoted text, such as a command of Incus, is left out. */
export function commandsIn(next: string): AdvisedCommand[] {
  return [...next.matchAll(/"([^"]+)"/g)].flatMap(([, quoted = '']) => {
    const words = quoted.split(' ');
    const verb = verbOf(words);
    return verb === undefined ? [] : [{ words, verb }];
  });
}

type Caller = Pick<Actor, 'entryPoint' | 'role'>;

/** Returns a next step that this caller can take: what only an admin may do, they ask an admin for. */
export function stepFor(next: string, { entryPoint, role }: Caller): string {
  if (commandsIn(next).every(({ verb }) => mayUse(verb, entryPoint, role))) return next;
  // The words before a lone command say no more than the command does: `see "doctor"`, `start it: "start alice"`.
  const [, command] = /^(?:[^" ]+ ){0,2}("[^"]+")$/.exec(next) ?? [];
  return command === undefined ? `ask an admin: ${next}` : `ask an admin to run ${command}`;
}

/** Returns the failure with a next step that this caller can take. */
export function advisedFor(failure: Failure, caller: Caller): Failure {
  if (failure.next === undefined) return failure;
  const next = stepFor(failure.next, caller);
  return next === failure.next ? failure : new Failure(failure.code, { ...failure.toData(), next }, failure.cause);
}
