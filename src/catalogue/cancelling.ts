/** What Ctrl-C does to a call that makes changes, and how that is said. */
import type { EntryPoint } from '../domain/access/actor.ts';
import { Failure } from '../domain/failure.ts';
import { quoted } from '../domain/text.ts';
import type { AnyVerb } from './catalogue.ts';
import { targetOf } from './declaration/verb.ts';
import { isAboutSeveral } from './selection.ts';

type Input = Readonly<Record<string, unknown>>;

/** `undo` what it has done, or begin none of the `rest` of several changes. */
export type Cancelling = 'undo' | 'rest';

/** Returns how a call can be cancelled; undefined if it runs to its end. */
export function cancelling(verb: AnyVerb, input: Input): Cancelling | undefined {
  if (verb.isPlan === true) return undefined;
  if (isAboutSeveral(verb, input)) return 'rest';
  const { isCancellable: by } = verb;
  return by === true || (by !== undefined && input[by] === true) ? 'undo' : undefined;
}

/** Says what the first Ctrl-C did, as a clause without a full stop. */
export function cancelText(verb: AnyVerb, input: Input): string {
  switch (cancelling(verb, input)) {
    case 'undo':
      return `Cancelling ${titleOf(verb, input)}`;
    case 'rest':
      return 'None of the others is begun';
    case undefined:
      return `${titleOf(verb, input)} cannot be cancelled: it continues to its end`;
  }
}

/** Returns the failure of a call whose caller waits no longer, after a second Ctrl-C. */
export function leftBehind(verb: AnyVerb, input: Input, entryPoint: EntryPoint): Failure {
  const shows = entryPoint === 'self' ? '' : '"who" shows it while it runs, and ';
  return new Failure('partial', {
    what: quoted(titleOf(verb, input)),
    why: `${cancelling(verb, input) === 'undo' ? 'its undo' : 'it'} continues in the background`,
    next: `${shows}your next shell tells how it ended`,
  });
}

function titleOf(verb: AnyVerb, input: Input): string {
  return [verb.name, targetOf(verb, input) ?? ''].join(' ').trim();
}
