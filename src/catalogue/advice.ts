/** The next step of a failure: commands of this system stand in it in double quotes. */
import type { Actor } from '../domain/access/actor.ts';
import { Failure, type FailureCode } from '../domain/failure.ts';
import { mayUse, verbAt, verbOf, type AnyVerb } from './catalogue.ts';
import { isRequired } from './declaration/verb.ts';

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

type Caller = Pick<Actor, 'entryPoint' | 'role' | 'owns'>;

/** Returns a next step that this caller can take: what only an admin may do, they ask an admin for. */
export function stepFor(next: string, caller: Caller): string {
  const { entryPoint, role } = caller;
  const own = entryPoint === 'self' ? asOwner(next, caller) : next;
  if (commandsIn(own).every(({ verb }) => mayUse(verb, entryPoint, role))) return own;
  // The words before a lone command say no more than the command does: `see "doctor"`, `start it: "start alice"`.
  const [, command] = /^(?:[^" ]+ ){0,2}("[^"]+")$/.exec(next) ?? [];
  return command === undefined ? `ask an admin: ${next}` : `ask an admin to run ${command}`;
}

/** Returns a text with the commands that an owner has in place of those of admins: `keys` for `key list alice`. */
function asOwner(text: string, { owns = [] }: Caller): string {
  return text.replaceAll(/"([^"]+)"/g, (whole) => {
    const [command] = commandsIn(whole);
    if (command === undefined) return whole;
    const { verb, words } = command;
    const [first = '', ...rest] = words.slice(verb.name.split(' ').length);
    const [user, others] = owns.includes(first) ? [first, rest] : [undefined, first === '' ? rest : [first, ...rest]];
    // A command with fewer arguments than admins give is that of an owner already.
    const wanted = verb.parameters.filter((p) => p.kind === 'argument' && isRequired(p, 'manage')).length;
    if (1 + rest.length < wanted) return whole;
    const instead = verb.elsewhere === undefined ? undefined : verbOf(verb.elsewhere.split(' '));
    const meant = mayUse(verb, 'self', 'owner') ? verb : instead;
    if (user === undefined || meant === undefined || !mayUse(meant, 'self', 'owner')) return whole;
    const takes = verbAt(meant, 'self').parameters.find(({ name }) => name === 'user');
    // With one container, its name goes without saying where it is not an argument.
    const named =
      takes?.kind === 'argument' ? [user] : takes === undefined || owns.length === 1 ? [] : ['--user', user];
    const placed = takes?.kind === 'argument' ? [...named, ...others] : [...others, ...named];
    return `"${[meant.name, ...placed].join(' ')}"`;
  });
}

/** Failures whose remedy is on the host, where owners cannot do anything. */
const ofTheHost: readonly FailureCode[] = ['settings', 'store-unavailable', 'program-missing', 'journal-damaged'];

/** Returns the failure with a next step that this caller can take. */
export function advisedFor(failure: Failure, caller: Caller): Failure {
  if (failure.next === undefined) return failure;
  const step = stepFor(failure.next, caller);
  const isOthers = caller.entryPoint === 'self' && ofTheHost.includes(failure.code) && step === failure.next;
  const next = isOthers && step !== 'try again' ? `ask an admin: ${step}` : step;
  return next === failure.next ? failure : new Failure(failure.code, { ...failure.toData(), next }, failure.cause);
}
