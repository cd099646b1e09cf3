/** The preconditions of dangerous verbs. core checks them, even if the entry point has asked the user already. */
import type { AnyVerb } from '../../catalogue/catalogue.ts';
import { commandOf } from '../../catalogue/commandOf.ts';
import { wordToConfirm } from '../../catalogue/declaration/verb.ts';
import { hasPlan } from '../../catalogue/plan.ts';
import { isAboutSeveral, numberToConfirm } from '../../catalogue/selection.ts';
import type { Actor } from '../../domain/access/actor.ts';
import { Failure } from '../../domain/failure.ts';
import { quoted } from '../../domain/text.ts';
import { durationInWords } from '../../domain/values/duration.ts';

export interface TouchRule {
  /** Maximum age of the touch of a FIDO key, in milliseconds; 0 requires no touch. */
  readonly withinMs: number;
  /** Returns when the key of a login was touched, or undefined if it was not. */
  readonly touchedAt: (login: string) => Date | undefined;
}

/** Throws `denied` if the verb requires a touch and the login has none or an old one. Local mode needs none. */
export function requireTouch(
  verb: AnyVerb,
  { entryPoint, login }: Actor,
  { withinMs, touchedAt }: TouchRule,
  nowMs: number,
): void {
  if (verb.wantsTouch !== true || withinMs === 0 || entryPoint === 'local') return;
  const at = login === undefined ? undefined : touchedAt(login);
  // A touch that lies ahead is not a fresh one: the clock was set back.
  if (at !== undefined && Math.abs(nowMs - at.getTime()) < withinMs) return;
  const within = durationInWords(withinMs);
  throw new Failure('denied', {
    what: quoted(verb.name),
    why:
      at === undefined
        ? 'this server requires a touch of a FIDO key for it, and you logged in without one'
        : `this server requires a touch of a FIDO key for it, and yours is more than ${within} old`,
    next: `log in again with a FIDO key (ssh-keygen -t ed25519-sk) over a new connection, and repeat the command within ${within}`,
  });
}

/** Throws `denied` if the verb changes who may come in and the settings do not allow that over the remote interface. */
export function requireGrantHere(verb: AnyVerb, { entryPoint }: Actor, accessVerbs: boolean): void {
  if (verb.grantsAccess !== true || entryPoint !== 'remote' || accessVerbs) return;
  throw new Failure('denied', {
    what: quoted(verb.name),
    why: 'it changes who may come in, which this server does not allow over the remote interface',
    next: `use it over ssh: "ssh -p 2222 manage@jump ${verb.name}"; remote.accessVerbs allows it here`,
  });
}

/** Throws `usage` if the verb has no plan. */
export function requirePlan(verb: AnyVerb): void {
  if (hasPlan(verb)) return;
  throw new Failure('usage', {
    what: quoted(verb.name),
    why: verb.changes ? 'what happens in a terminal cannot be planned' : 'it changes nothing, so there is no plan',
    next: 'leave out --plan',
  });
}

/**
 * Throws if the verb needs confirmation and the call has neither --yes nor the name of the target, as the caller typed
 * it or as it is.
 */
export function requireConfirmation(verb: AnyVerb, input: Readonly<Record<string, unknown>>): void {
  if (verb.danger === 'none' || input['yes'] === true) return;
  const isSeveral = isAboutSeveral(verb, input);
  const word = (isSeveral ? numberToConfirm(verb, input) : wordToConfirm(verb, input)) ?? '';
  const typed = input['confirm'];
  const asGiven = isSeveral ? undefined : input[verb.confirmation?.property ?? verb.target ?? ''];
  if (typeof typed === 'string' && typed !== '' && (typed === word || typed === asGiven)) return;
  const command = commandOf(verb, input);
  if (typed !== undefined)
    throw new Failure('confirmation-mismatch', {
      what: quoted(command, 200),
      why: `the ${isSeveral ? 'number' : 'name'} does not match; nothing was changed`,
      next: word === '' ? 'name the users instead of selecting them, or add --yes' : `type ${word} to continue`,
    });
  throw new Failure('confirmation-required', {
    what: quoted(command, 200),
    why: 'it must be confirmed, and there is no terminal on which to confirm it',
    next: `add --yes: "${command} --yes"`,
  });
}
