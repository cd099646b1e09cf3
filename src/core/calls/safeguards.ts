/** What a dangerous verb needs before it runs. Checked in core, whatever an entry point has asked already. */
import type { AnyVerb } from '../../catalogue/catalogue.ts';
import { targetOf } from '../../catalogue/declaration/verb.ts';
import type { Actor } from '../../domain/access/actor.ts';
import { Failure } from '../../domain/failure.ts';
import { quoted } from '../../domain/text.ts';
import { formatUptime } from '../../domain/values/time.ts';

export interface TouchRule {
  /** How old the touch of a FIDO key may be, in milliseconds. 0: no touch is required. */
  readonly withinMs: number;
  /** When the key of a login was touched; undefined where it was not. */
  readonly touchedAt: (login: string) => Date | undefined;
}

/** Throws `denied` where the verb requires a touch and the login has none, or an old one. Local mode needs none. */
export function requireTouch(
  verb: AnyVerb,
  { entryPoint, login }: Actor,
  { withinMs, touchedAt }: TouchRule,
  nowMs: number,
): void {
  if (verb.wantsTouch !== true || withinMs === 0 || entryPoint === 'local') return;
  const at = login === undefined ? undefined : touchedAt(login);
  if (at !== undefined && nowMs - at.getTime() < withinMs) return;
  const within = formatUptime(withinMs);
  throw new Failure('denied', {
    what: quoted(verb.name),
    why:
      at === undefined
        ? 'this server requires a touch of a FIDO key for it, and you logged in without one'
        : `this server requires a touch of a FIDO key for it, and yours is more than ${within} old`,
    next: `log in again with a FIDO key (ssh-keygen -t ed25519-sk) and do it within ${within}; a connection that was kept open does not count`,
  });
}

/** Throws where the verb has to be confirmed, and neither --yes nor the name of its target was given. */
export function requireConfirmation(verb: AnyVerb, input: unknown): void {
  if (verb.danger === 'none') return;
  const { yes, confirm: typed, ...rest } = input as { yes?: boolean; confirm?: string };
  const target = targetOf(verb, rest) ?? '';
  if (yes === true || (typed !== undefined && typed === target)) return;
  const command = `${verb.name} ${target}`;
  if (typed !== undefined)
    throw new Failure('confirmation-mismatch', {
      what: quoted(command),
      why: 'the name does not match; nothing was changed',
      next: `type ${target} to go on`,
    });
  throw new Failure('confirmation-required', {
    what: quoted(command),
    why: 'it cannot be undone, and there is no terminal to ask on',
    next: `add --yes: ${command} --yes`,
  });
}
