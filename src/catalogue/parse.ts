/** The parser of command lines, for ssh commands, the shell and the command line on the host. */
import { CommanderError } from 'commander';
import type { Actor } from '../domain/access/actor.ts';
import { Failure } from '../domain/failure.ts';
import { holdsKey } from '../domain/keys/keyText.ts';
import { namingOddCharacter } from '../domain/oddCharacters.ts';
import { quoted } from '../domain/text.ts';
import { allVerbs, verbAt, verbOf, verbsFor } from './catalogue.ts';
import { parseWith, type Invocation } from './commanderProgram.ts';
import { wantedFormat } from './format.ts';
import { parseFailure } from './parseFailure.ts';
import { planNames } from './plan.ts';
import { refuseEmptyArgument, refuseUnknownShapes } from './shapes.ts';

export interface ParseOptions {
  /** Accept missing arguments of a verb that has a form. */
  readonly incomplete?: boolean;
  /** The caller sent an empty word, which no word stands for: an argument that is not there may be that one. */
  readonly hasEmptyWord?: boolean;
}

/** Most words of a command line. commander takes its time over each of them. */
const maxWords = 500;

/** Longest run of letters after one hyphen. commander copies the rest of them for each letter. */
const maxShortOptions = 20;
const tooManyShortOptions = new RegExp(`^-[a-z]{${maxShortOptions + 1}}`, 'i');

/**
 * Parses the command line of one actor. For a verb that the actor may not use, it returns only the verb: core refuses
 * the call and records that. Throws a Failure with the exit code `usage`.
 */
export function parseCommandLine(
  typed: readonly string[],
  actor: Pick<Actor, 'entryPoint' | 'role'>,
  options: ParseOptions = {},
): Invocation {
  refuseSlowWords(typed);
  const words = verbFirst(typed);
  if (words.length === 0)
    throw new Failure('usage', { what: 'command line', why: 'no verb given', next: 'see "help"' });
  const verbs = verbsFor(actor.entryPoint, actor.role);
  const named = verbOf(words);
  if (named !== undefined && !verbs.some(({ name }) => name === named.name))
    return { verb: named, input: {}, format: wantedFormat(words), help: false };
  const joined = joinPublicKeys(words);
  if (named !== undefined) refuseUnknownShapes(joined, verbAt(named, actor.entryPoint));
  const { entryPoint, role } = actor;
  const found = parseWith(joined, { entryPoint, role, incomplete: options.incomplete === true }, (error, program) => {
    if (!(error instanceof CommanderError)) throw error;
    throw namingOddCharacter(parseFailure(error, words, verbs, program.arguments(words)), words);
  });
  if (found === undefined)
    throw new Failure('usage', { what: 'command line', why: 'no verb given', next: 'see "help"' });
  if (options.hasEmptyWord === true && !found.help) refuseEmptyArgument(found.verb, found.input);
  return found;
}

/** Refuses what would take long to parse, so that no client occupies the event loop with it. */
function refuseSlowWords(words: readonly string[]): void {
  if (words.length > maxWords)
    throw new Failure('usage', {
      what: 'command line',
      why: `it has ${words.length} words, more than ${maxWords}`,
      next: 'use several commands',
    });
  const long = words.find((word) => tooManyShortOptions.test(word));
  if (long !== undefined)
    throw new Failure('usage', {
      what: 'command line',
      why: `${quoted(long.slice(0, 10))}… has more than ${maxShortOptions} letters after one hyphen`,
      next: 'give each option once',
    });
}

/** Returns the name of the verb that a command line names, however wrong the rest is; else its first word, or "". */
export function commandName(typed: readonly string[]): string {
  const words = verbFirst(typed);
  return verbOf(words)?.name ?? words.find((word) => !word.startsWith('-')) ?? '';
}

/**
 * Moves the common options behind the verb's name, because they may also precede it: `--json list`, `--plan delete
 * alice`, `key --format yaml list alice`. `--help` without a verb, or with only the first of its two words, becomes the
 * verb `help`.
 */
function verbFirst(words: readonly string[]): string[] {
  const { options, rest } = leadingOptions(words);
  const [first, ...others] = rest;
  if (first === undefined) return options.some(isHelp) ? ['help', ...options.filter((option) => !isHelp(option))] : [];
  if (!firstOfTwo.has(first)) return [first, ...options, ...others];
  const between = leadingOptions(others);
  const given = [...options, ...between.options];
  const [second, ...more] = between.rest;
  // Right even if the second word is an argument, because the first one is a verb by itself: `keys alice`.
  if (second !== undefined && !second.startsWith('-')) return [first, second, ...given, ...more];
  if (!names.has(first) && given.some(isHelp)) return ['help', first, ...given.filter((option) => !isHelp(option))];
  return names.has(first) ? [first, ...given, ...between.rest] : [first, ...between.rest];
}

const names: ReadonlySet<string> = new Set(allVerbs.flatMap(({ name, aliases = [] }) => [name, ...aliases]));
const firstOfTwo: ReadonlySet<string> = new Set(
  [...names].filter((name) => name.includes(' ')).flatMap((name) => name.split(' ').slice(0, 1)),
);

const isHelp = (word: string): boolean => word === '-h' || word === '--help';

const leadingSwitches: ReadonlySet<string> = new Set([
  '--json',
  ...planNames.map((name) => `--${name}`),
  '-h',
  '--help',
  '-v',
  '--verbose',
]);

function leadingOptions(words: readonly string[]): { options: string[]; rest: readonly string[] } {
  let count = 0;
  for (let word = words[0]; word !== undefined; word = words[count]) {
    if (word === '--format' && count + 1 < words.length) count += 2;
    else if (leadingSwitches.has(word) || word.startsWith('--format=')) count += 1;
    else break;
  }
  return { options: words.slice(0, count), rest: words.slice(count) };
}

const keyType = /^(ssh-|ecdsa-sha2-|sk-)[a-z0-9@.-]+$/;

/** The options that take a public key, which are the same with each verb that has one of them. */
const keyFlags: ReadonlySet<string> = new Set(
  allVerbs.flatMap((verb) =>
    verb.parameters.flatMap((p) => (p.kind === 'option' && p.publicKey ? p.long.map((long) => `--${long}`) : [])),
  ),
);

/**
 * Joins the words of a public key. ssh joins its arguments with spaces, so `--ssh-key "$(cat alice.pub)"` arrives as
 * three or more words. The key extends from its type, or from authorized_keys options before that, to the next option;
 * a lone hyphen belongs to its comment.
 */
function joinPublicKeys(words: readonly string[]): string[] {
  const out: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    const inline = [...keyFlags].find((flag) => word.startsWith(`${flag}=`));
    const flag = inline ?? (keyFlags.has(word) ? word : undefined);
    const first = inline === undefined ? words[i + 1] : word.slice(inline.length + 1);
    const second = inline === undefined ? i + 2 : i + 1;
    // A typographic quotation mark or an invisible character before it is for the key's own parser to name.
    const isKey = (): boolean =>
      keyType.test((first ?? '').replace(/^[^ -~]+/, '')) || holdsKey(words.slice(second, second + 2).join(' '));
    if (flag === undefined || first === undefined || !isKey()) {
      out.push(word);
      continue;
    }
    let end = second;
    while (end < words.length && !/^-./.test(words[end] ?? '')) end++;
    out.push(`${flag}=${[first, ...words.slice(second, end)].join(' ')}`);
    i = end - 1;
  }
  return out;
}
