/** Completes the word at the cursor: verbs, options and values from the catalogue, names from the host. */
import fuzzysort from 'fuzzysort';
import { verbOf, type AnyVerb } from './catalogue.ts';
import { formats } from './format.ts';
import { planCandidates } from './plan.ts';
import type { Argument, Completer, Option } from './declaration/verb.ts';
import type { EntryPoint } from '../domain/access/actor.ts';
import type { Candidate } from '../domain/events/candidate.ts';
import { quoteWord, wordsSoFar } from './tokens.ts';

/** Asks the host for names. Resolves with an empty list if it does not answer, because completion is optional. */
export type Ask = (what: Exclude<Completer, 'verbs'>, user: string | undefined) => Promise<readonly Candidate[]>;

export interface Completion {
  /** Where the completed part of the line begins, with its quote; it ends at the cursor. */
  readonly from: number;
  /** Their values as they are: the line gets them quoted. */
  readonly candidates: readonly Candidate[];
  /** Text to insert after an accepted candidate. */
  readonly after: string;
}

const nothing: Completion = { from: 0, candidates: [], after: '' };

/** Common sizes. */
const sizes: readonly Candidate[] = [
  '1GiB',
  '2GiB',
  '4GiB',
  '8GiB',
  '16GiB',
  '20GiB',
  '32GiB',
  '50GiB',
  '100GiB',
  '200GiB',
].map((value) => ({ value }));
const counts: readonly Candidate[] = ['1', '2', '4', '8'].map((value) => ({ value }));

export interface CompletionContext {
  readonly verbs: readonly AnyVerb[];
  /** Commands of the shell itself. */
  readonly builtins: readonly Candidate[];
  readonly entryPoint: EntryPoint;
  readonly ask: Ask;
}

/**
 * The longest text that is completed, in UTF-16 units. No command is longer, and comparing a word with all candidates
 * takes time in proportion to its length.
 */
const maxCompletedLength = 1024;

/** Completes the word before the cursor. */
export async function complete(text: string, cursor: number, context: CompletionContext): Promise<Completion> {
  if (cursor > maxCompletedLength) return nothing;
  const head = text.slice(0, cursor);
  const slash = /^\s*\//.exec(head)?.[0].length ?? 0;
  const words = wordsSoFar(head.slice(slash));
  const last = words.at(-1);
  const isOpen = last !== undefined && slash + last.to === cursor;
  const word = isOpen ? last.text : '';
  const from = isOpen ? slash + last.from : cursor;
  const given = words.slice(0, isOpen ? -1 : undefined).map(({ text }) => text);
  const verb = verbOf(given, context.verbs);
  if (verb === undefined) return { from, candidates: ranked(firstWords(given, context), word), after: ' ' };
  const rest = given.slice(verb.name.split(' ').length);
  if (word.startsWith('-')) {
    const equals = word.indexOf('=');
    if (equals === -1) return { from, candidates: ranked(options(verb, rest), word), after: ' ' };
    const option = optionNamed(verb, word.slice(0, equals));
    const beginning = word.slice(0, equals + 1);
    if (option === undefined || !head.startsWith(beginning, from)) return nothing;
    const value = word.slice(equals + 1);
    return {
      from: from + beginning.length,
      candidates: ranked(await optionValues(option, rest, verb, context), value),
      after: ' ',
    };
  }
  const before = optionNamed(verb, rest.at(-1) ?? '');
  if (before?.value !== undefined) {
    const values = await optionValues(before, rest, verb, context);
    if (before.name !== 'columns') return { from, candidates: ranked(values, word), after: ' ' };
    // In a list of names, the name after the last comma is completed.
    const name = word.slice(word.lastIndexOf(',') + 1);
    return { from: Math.max(from, head.lastIndexOf(',') + 1), candidates: ranked(values, name), after: '' };
  }
  const argument = nextArgument(verb, rest);
  // A second word may follow: `key` alone is not a verb; `audit` is one, and also the first word of others.
  const seconds = rest.length === 0 ? secondWords(given.join(' '), context.verbs) : [];
  const known = argument === undefined ? [] : await argumentValues(argument, rest, context);
  // A name is given once.
  const taken = argument?.rest === true ? positional(verb, rest) : [];
  const values = known.filter(({ value }) => !taken.includes(value));
  return { from, candidates: ranked([...seconds, ...values], word), after: ' ' };
}

function firstWords(given: readonly string[], { verbs, builtins }: CompletionContext): Candidate[] {
  if (given.length > 1) return [];
  if (given.length === 1) return secondWords(given[0] ?? '', verbs);
  const seen = new Set<string>();
  const all: Candidate[] = [];
  for (const { name, summary } of verbs) {
    const [first = '', second] = name.split(' ');
    if (seen.has(first)) continue;
    seen.add(first);
    all.push({
      value: first,
      says:
        second === undefined
          ? summary
          : secondWords(first, verbs)
              .map(({ value }) => value)
              .join(', '),
    });
  }
  return [...all, ...builtins];
}

function secondWords(first: string, verbs: readonly AnyVerb[]): Candidate[] {
  return verbs
    .filter(({ name }) => name.startsWith(`${first} `))
    .map(({ name, summary }) => ({ value: name.slice(first.length + 1), says: summary }));
}

function optionsOf(verb: AnyVerb): Option[] {
  return verb.parameters.filter((parameter) => parameter.kind === 'option');
}

function optionNamed(verb: AnyVerb, word: string): Option | undefined {
  return optionsOf(verb).find(
    ({ long, short }) => long.some((name) => word === `--${name}`) || (short !== undefined && word === `-${short}`),
  );
}

/** Returns the options that may still be given. */
function options(verb: AnyVerb, rest: readonly string[]): Candidate[] {
  const own = optionsOf(verb)
    .filter(({ long, repeatable }) => repeatable === true || !long.some((name) => rest.includes(`--${name}`)))
    .flatMap(({ long, negatable, summary }) => [
      { value: `--${long[0]}`, says: summary },
      ...(negatable === true ? [{ value: `--no-${long[0]}`, says: `turn off: ${summary}` }] : []),
    ]);
  return [
    ...own,
    ...planCandidates(verb),
    { value: '--json', says: 'print one JSON document' },
    { value: '--verbose', says: 'print more: record, time, details of an error' },
    { value: '--help', says: 'show arguments and examples' },
  ];
}

async function optionValues(
  option: Option,
  rest: readonly string[],
  verb: AnyVerb,
  context: CompletionContext,
): Promise<readonly Candidate[]> {
  if (option.choices !== undefined) return option.choices.map((value) => ({ value }));
  if (option.complete !== undefined && option.complete !== 'verbs')
    return context.ask(option.complete, userIn(verb, rest));
  if (option.value === 'size') return sizes;
  if (option.value === 'count') return counts;
  if (option.value === 'format') return formats.map((value) => ({ value }));
  return option.values?.map((value) => ({ value })) ?? [];
}

/** Returns the argument that the next word belongs to. */
function nextArgument(verb: AnyVerb, rest: readonly string[]): Argument | undefined {
  const all = verb.parameters.filter((parameter) => parameter.kind === 'argument');
  const last = all.at(-1);
  return all[positional(verb, rest).length] ?? (last?.rest === true ? last : undefined);
}

/** Returns the words that are neither options nor values of options. */
function positional(verb: AnyVerb, rest: readonly string[]): string[] {
  return rest.filter((word, i) => !word.startsWith('-') && optionNamed(verb, rest[i - 1] ?? '')?.value === undefined);
}

function userIn(verb: AnyVerb, rest: readonly string[]): string | undefined {
  const at = verb.parameters
    .filter((parameter) => parameter.kind === 'argument')
    .findIndex(({ name }) => name === 'user');
  return at === -1 ? undefined : positional(verb, rest)[at];
}

async function argumentValues(
  argument: Argument,
  rest: readonly string[],
  { ask, verbs, entryPoint }: CompletionContext,
): Promise<readonly Candidate[]> {
  if (argument.complete === 'verbs') return firstWords([], { verbs, builtins: [], entryPoint, ask });
  // A new name is not completed from existing ones.
  if (argument.complete === undefined || argument.isNew === true) return [];
  return ask(
    argument.complete,
    rest.find((word) => !word.startsWith('-')),
  );
}

/**
 * Returns the candidates that begin with the typed text, in their own order. If there are none, returns those that
 * contain its letters, best match first.
 */
function ranked(candidates: readonly Candidate[], typed: string): readonly Candidate[] {
  if (typed === '') return candidates;
  const wanted = typed.toLowerCase();
  const beginning = candidates.filter(({ value }) => value.toLowerCase().startsWith(wanted));
  return beginning.length > 0
    ? beginning
    : fuzzysort.go(typed, candidates, { key: 'value', threshold: 0.5 }).map(({ obj }) => obj);
}

/** Returns the common prefix of all candidates, which Tab can insert without a choice: empty if it needs quotes. */
export function commonBeginning(candidates: readonly Candidate[]): string {
  const [first, ...others] = candidates.map(({ value }) => value);
  if (first === undefined) return '';
  let length = first.length;
  for (const other of others) while (!other.startsWith(first.slice(0, length))) length--;
  const common = first.slice(0, length);
  return quoteWord(common) === common ? common : '';
}
