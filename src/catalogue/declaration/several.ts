/** What verbs declare that change one container, or several in one call: named users, or a selection. */
import * as z from 'zod';
import { isSeveral, type Outcome, type Several } from '../../domain/results/several.ts';
import { plural } from '../../domain/text.ts';
import type { Username } from '../../domain/values/username.ts';
import { labelSelector, username } from './schema.ts';
import type { Argument, Option, Parameter, Verb } from './verb.ts';
import type { Block, Rows } from './view.ts';

/** The most users that one call names. A selection may have more. */
const maxUsers = 500;

/** The properties of the input that select containers beside their users' names. */
export const selectors = ['labels', 'state'] as const;

export const usersArgument: Argument = {
  kind: 'argument',
  name: 'user',
  summary: 'users who own the containers',
  required: true,
  rest: true,
  complete: 'users',
  unless: selectors,
};

const labelsOption: Option = {
  kind: 'option',
  name: 'labels',
  long: ['label'],
  short: 'l',
  value: 'key[=value]',
  repeatable: true,
  summary: 'the containers with this label; with several labels, all must match',
  complete: 'labels',
};

const stateOption: Option = {
  kind: 'option',
  name: 'state',
  long: ['state'],
  value: 'state',
  choices: ['all', 'running', 'stopped'],
  summary: 'the containers in this state; with users or labels, only those of them',
};

export const severalOptions: readonly Option[] = [labelsOption, stateOption];

/** For verbs that ask only about several containers. */
export const severalYesOption: Option = {
  kind: 'option',
  name: 'yes',
  long: ['yes'],
  short: 'y',
  summary: 'do not ask before several containers are changed',
};

/** One user, as text, or several; each only once. A list of one user is that user. */
const users = z
  .union([z.string(), z.array(z.string())], { error: 'must be a user name, or a list of user names' })
  .transform((given) => [given].flat())
  .pipe(z.array(username).min(1).max(maxUsers))
  .transform((names): Username | readonly Username[] => {
    const [first, ...others] = [...new Set(names)];
    return first === undefined || others.length > 0 ? [...new Set(names)] : first;
  });

export const severalInput = {
  user: users.optional(),
  labels: z.array(labelSelector).min(1).max(64).optional(),
  state: z.enum(['all', 'running', 'stopped']).optional(),
};

/** Reports whether an input names a user or selects containers. */
export function hasSelection(input: { readonly [name in 'user' | (typeof selectors)[number]]?: unknown }): boolean {
  return input.user !== undefined || selectors.some((name) => input[name] !== undefined);
}

/** The words for an input without. */
export const noSelection = { error: 'is missing', path: ['user'] };

/** Returns an input in which a list of one user is that user: the call is that of one container. */
export function withOneUser(
  { several }: { readonly several?: true },
  input: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const { user } = input;
  if (several !== true || !Array.isArray(user) || user.length !== 1) return input;
  return { ...input, user: (user as readonly unknown[])[0] };
}

/** A verb without what its result is used for besides being shown. */
type Declared<Input extends z.ZodType, Result> = Omit<Verb<Input, Result>, 'copy' | 'files' | 'exitStatus'>;

/** Returns a verb that changes one container as one that changes several too. */
export function takingSeveral<Input extends z.ZodType, Result>(
  verb: Declared<Input, Result>,
): Verb<Input, Result | Several<Result>> {
  const { view, rows, exit, description = [], ends = {}, ...others } = verb;
  return {
    ...others,
    several: true,
    description: [...description, aboutSeveral],
    ends: {
      ...ends,
      partial: `${ends.partial ?? 'work remains'}; or some of several containers were changed, and others failed`,
      failed: `${ends.failed ?? 'the server or a program on the host failed; nothing was changed'}; or all of several containers failed`,
      notFound: `${ends.notFound ?? 'there is no such container'}, or no container matches --label and --state`,
      cancelled: ends.cancelled ?? 'the question about several containers was not confirmed; nothing was changed',
    },
    view: (result, context) =>
      isSeveral<Result>(result) ? severalView(result, (one) => view(one, context)) : view(result, context),
    ...(rows === undefined
      ? {}
      : {
          rows: (result: Result | Several<Result>) => (isSeveral<Result>(result) ? severalRows(result) : rows(result)),
        }),
    exit: (result) => (isSeveral<Result>(result) ? exitOf(result) : (exit?.(result) ?? 'ok')),
  };
}

/** Returns a verb without what is about several containers, for owners. */
export function changingOne<Input extends z.ZodType, Result>({
  several: _several,
  ...verb
}: Verb<Input, Result>): Verb<Input, Result> {
  const { parameters, description = [] } = verb;
  const isOfSeveral = (parameter: Parameter): boolean =>
    parameter === severalYesOption || severalOptions.some((option) => option === parameter);
  return {
    ...verb,
    description: description.filter((paragraph) => paragraph !== aboutSeveral),
    parameters: parameters
      .filter((parameter) => !isOfSeveral(parameter))
      .map((parameter) => (parameter.kind === 'argument' && parameter.rest === true ? oneUser(parameter) : parameter)),
  };
}

function oneUser({ rest: _rest, unless: _unless, ...argument }: Argument): Argument {
  return { ...argument, summary: 'user who owns the container (you by default)' };
}

const aboutSeveral =
  'Several users, `--label` and `--state` make it one call for several containers. Each is changed by an operation of its own, which `undo` and the journal know by its user, at most four at the same time; one that fails does not stop the others, and the answer says what happened to each. On a terminal it shows the containers first and asks for their number.';

function exitOf({ outcomes }: Several<unknown>): 'ok' | 'partial' | 'failed' {
  if (outcomes.every(({ ok }) => ok)) return 'ok';
  return outcomes.some(({ ok }) => ok) ? 'partial' : 'failed';
}

function severalView<Result>({ outcomes }: Several<Result>, view: (result: Result) => Block[]): Block[] {
  const failed = outcomes.filter(({ ok }) => !ok).length;
  const summary = failed === 0 ? 'all done' : `${outcomes.length - failed} done, ${failed} failed`;
  return [
    ...outcomes.flatMap((outcome): Block[] =>
      outcome.ok ? view(outcome.result) : [{ kind: 'text', tone: 'bad', text: failureText(outcome) }],
    ),
    {
      kind: 'text',
      tone: failed === 0 ? 'quiet' : 'warn',
      text: `${plural(outcomes.length, 'container')}: ${summary}`,
    },
  ];
}

function failureText({ user, error }: Extract<Outcome<unknown>, { ok: false }>): string {
  const next = error.next === undefined ? '' : `\nNext: ${error.next}`;
  // Indents further lines, so that none of them looks like the outcome of another container.
  return `${user}: ${error.what}: ${error.why} (${error.code})${next}`.replaceAll('\n', '\n  ');
}

/** Returns a row for each container, for CSV. */
export function severalRows({ outcomes }: Several<unknown>): Rows {
  return {
    columns: ['user', 'ok', 'code', 'what', 'why'],
    rows: outcomes.map((outcome) =>
      outcome.ok
        ? [outcome.user, true, null, null, null]
        : [outcome.user, false, outcome.error.code, outcome.error.what, outcome.error.why],
    ),
  };
}
