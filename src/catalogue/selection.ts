/** Calls that change several containers: whether a call is one, and what it is about, for the question before it. */
import * as z from 'zod';
import type { Actor } from '../domain/access/actor.ts';
import { Failure } from '../domain/failure.ts';
import type { Container, ContainerList } from '../domain/results/container.ts';
import { selects } from '../domain/results/selection.ts';
import { plural } from '../domain/text.ts';
import { advisedFor } from './advice.ts';
import type { AnyVerb, VerbName } from './catalogue.ts';
import { capitalised, showSize } from './declaration/show.ts';
import { selectors, severalInput } from './declaration/several.ts';
import { fieldSchema, targetOf, warningOf } from './declaration/verb.ts';

type Input = Readonly<Record<string, unknown>>;

const selectionSchema = z.object(severalInput);

/**
 * A question before several containers are changed. Its word is their number, so that nobody types it by habit; the
 * user's name if a selection turns out to be one container, as core asks for it then.
 */
export interface SeveralQuestion {
  readonly question: string;
  /** What the change means, in sentences; empty if nothing is lost. */
  readonly warning: string;
  readonly facts: readonly (readonly [user: string, about: string])[];
  readonly word: string;
  /** The input of the call with the users' names in place of a selection, so that it changes what was shown. */
  readonly input: Input;
}

/** Reports whether a call is about several containers: users, or a selection, which may turn out to be one. */
export function isAboutSeveral(verb: Pick<AnyVerb, 'several' | 'target' | 'input'>, input: Input): boolean {
  if (verb.several !== true) return false;
  if (selectors.some((name) => input[name] !== undefined)) return true;
  return Array.isArray(input['user']) && input['user'].length > 0 && targetOf(verb, input) === null;
}

/** Returns the word that confirms a call about several users; null if it does not name them, or not by valid names. */
export function numberToConfirm(verb: Pick<AnyVerb, 'input'>, input: Input): string | null {
  if (selectors.some((name) => input[name] !== undefined)) return null;
  const users = usersOf(verb, input);
  return users.length === 0 ? null : String(users.length);
}

/**
 * Returns the question about several containers, with `read` for a call of another verb. Returns undefined if core will
 * refuse the call anyway. Rejects if nothing is selected.
 */
export async function askAboutSeveral(
  verb: AnyVerb,
  input: Input,
  actor: Actor,
  read: (verb: VerbName, input: Input) => Promise<unknown>,
): Promise<SeveralQuestion | undefined> {
  const named = input['user'] === undefined ? undefined : usersOf(verb, input);
  if (named?.length === 0 || selectionOf(input) === undefined) return undefined;
  const { containers } = (await read('list', {})) as ContainerList;
  const all = new Map(containers.map((container) => [container.user, container]));
  const chosen = selectedAmong(containers, input).map(({ user }) => user);
  // A name without a container stays, and fails by itself.
  const users = named === undefined ? chosen : named.filter((user) => !all.has(user) || chosen.includes(user));
  if (users.length === 0) throw advisedFor(nothingSelected(verb, input), actor);
  const { labels: _labels, state: _state, ...rest } = input;
  const [only, ...others] = users;
  return {
    question: `${verb.summary}: ${plural(users.length, 'container')}.`,
    warning: verb.danger === 'none' ? '' : warningOf(verb, input),
    facts: users.map((user) => [user, aboutOne(all.get(user))] as const),
    word: only !== undefined && others.length === 0 ? only : String(users.length),
    input: { ...rest, user: users },
  };
}

/** Returns the containers that a call names or selects. */
export function selectedAmong(containers: readonly Container[], input: Input): readonly Container[] {
  const selection = selectionOf(input);
  if (selection === undefined) return [];
  const { user, labels, state } = selection;
  const named = user === undefined ? undefined : [user].flat();
  return containers.filter(
    (container) => named?.includes(container.user as never) !== false && selects({ labels, state }, container),
  );
}

/** Returns the users and the selection of a call; undefined if one of them is invalid. */
function selectionOf(input: Input): z.infer<typeof selectionSchema> | undefined {
  return selectionSchema.safeParse(Object.fromEntries(Object.entries(input).filter(isSelecting))).data;
}

function isSelecting([name]: readonly [string, unknown]): boolean {
  return Object.hasOwn(severalInput, name);
}

function aboutOne(container: Container | undefined): string {
  if (container === undefined) return 'no such container';
  const { status, diskUsedBytes, snapshots } = container;
  const kept = snapshots === 0 ? '' : `, ${plural(snapshots, 'snapshot')}`;
  return `${capitalised(status)}, ${showSize(diskUsedBytes)} of disk used${kept}`;
}

/** Returns the failure of a selection that no container matches. It names the selection, which may be mistyped. */
export function nothingSelected({ parameters }: Pick<AnyVerb, 'parameters'>, input: Input): Failure {
  const words = parameters
    .filter((parameter) => parameter.kind === 'option' && selectors.some((name) => name === parameter.name))
    .flatMap((parameter) =>
      [input[parameter.name]]
        .flat()
        .filter((value) => value !== undefined)
        .map((value) => `--${parameter.kind === 'option' ? parameter.long[0] : ''} ${textOf(value)}`),
    );
  const users = input['user'] === undefined ? [] : [input['user']].flat().map(String);
  return new Failure('not-found', {
    what: `containers with ${words.join(' ')}`,
    why: users.length === 0 ? 'none matches' : `none of ${users.join(', ')} matches`,
    next: 'see "list"',
  });
}

/** A label is text on a command line, and a key with a value once it is checked. */
function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const { key, value: wanted } = value as { readonly key: string; readonly value?: string };
  return wanted === undefined ? key : `${key}=${wanted}`;
}

/** Returns the users that a call names, each once; none if one of the names is invalid. */
function usersOf(verb: Pick<AnyVerb, 'input'>, input: Input): readonly string[] {
  const parsed = fieldSchema(verb, 'user')?.safeParse(input['user']);
  return parsed?.success === true && parsed.data !== undefined ? [parsed.data as string | string[]].flat() : [];
}
