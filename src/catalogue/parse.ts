/** The parser of command lines, for ssh commands, the shell and the command line on the host. */
import { Command, CommanderError, Option as CommanderOption } from 'commander';
import type { Actor, EntryPoint } from '../domain/access/actor.ts';
import { Failure } from '../domain/failure.ts';
import { holdsKey } from '../domain/keys/keyText.ts';
import { namingOddCharacter } from '../domain/oddCharacters.ts';
import { joinChoices, quoted } from '../domain/text.ts';
import { allVerbs, verbAt, verbOf, verbsFor, type AnyVerb } from './catalogue.ts';
import { withOneUser } from './declaration/several.ts';
import { isRequired, isSpared, type Option } from './declaration/verb.ts';
import { formats, wantedFormat, type Format } from './format.ts';
import { parseFailure } from './parseFailure.ts';
import { planNames, planNamesOf, planOf } from './plan.ts';
import { isMissing, refuseEmptyArgument, refuseUnknownShapes } from './shapes.ts';

export interface Invocation {
  /** With `--plan`, what `planOf` makes of the verb. */
  readonly verb: AnyVerb;
  /** The input as typed: strings, switches and lists. The verb's schema turns it into values. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly format: Format;
  /** True if `--help` was given: show the verb's help instead of running it. */
  readonly help: boolean;
  /** True if `--verbose` was given: show what `moreDetail` has beside the answer. */
  readonly verbose?: boolean;
}

export interface ParseOptions {
  /** Accept missing arguments of a verb that has a form. */
  readonly incomplete?: boolean;
  /** The caller sent an empty word, which no word stands for: an argument that is not there may be that one. */
  readonly hasEmptyWord?: boolean;
}

/** Most words of a command line. commander takes its time over each of them. */
const maxWords = 500;

const namesOf = (verb: AnyVerb): readonly string[] => [verb.name, ...(verb.aliases ?? [])];

/** The names and aliases of all verbs. */
const allNames: ReadonlySet<string> = new Set(allVerbs.flatMap(namesOf));

/** The names of the verbs of which a name or an alias begins with a word. */
const verbsWithFirstWord = new Map<string, Set<string>>();
/** The first words of names that have two. */
const firstOfTwo = new Set<string>();
for (const verb of allVerbs)
  for (const [first = '', second] of namesOf(verb).map((name) => name.split(' '))) {
    verbsWithFirstWord.set(first, (verbsWithFirstWord.get(first) ?? new Set()).add(verb.name));
    if (second !== undefined) firstOfTwo.add(first);
  }

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
  const joined = joinPublicKeys(words, verbs);
  if (named !== undefined) refuseUnknownShapes(joined, verbAt(named, actor.entryPoint));
  let found: Invocation | undefined;
  const program = quiet(new Command('containarium'));
  const groups = new Map<string, Command>();

  // Making the commands of all verbs takes longer than what most of them do.
  const wanted = verbs.filter(({ name }) => verbsWithFirstWord.get(joined[0] ?? '')?.has(name));
  for (const verb of wanted.length > 0 ? wanted : verbs) {
    for (const [i, name] of namesOf(verb).entries()) {
      const [first, second] = name.split(' ') as [string, string | undefined];
      let command: Command;
      if (second === undefined) {
        command = groups.get(first) ?? quiet(program.command(first, { hidden: i > 0 }));
        groups.set(first, command);
      } else {
        let group = groups.get(first);
        if (group === undefined) {
          group = quiet(program.command(first));
          groups.set(first, group);
        }
        command = quiet(group.command(second, { hidden: i > 0 }));
      }
      // Declaring the options of all verbs takes ten times as long as parsing one.
      if (first !== joined[0]) continue;
      declare(
        command,
        verb,
        options.incomplete === true && verb.form !== undefined ? undefined : actor.entryPoint,
        (invocation) => (found = invocation),
      );
    }
  }
  try {
    program.parse(joined, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError)
      throw namingOddCharacter(parseFailure(error, words, verbs, argumentsIn(program, words)), words);
    throw error;
  }
  if (found === undefined)
    throw new Failure('usage', { what: 'command line', why: 'no verb given', next: 'see "help"' });
  if (options.hasEmptyWord === true && !found.help) refuseEmptyArgument(found.verb, found.input);
  return found;
}

/** Returns the arguments that commander has found of the verb that a command line names. */
function argumentsIn(program: Command, [first, second]: readonly string[]): readonly string[] {
  const found = program.commands.find((command) => command.name() === first);
  return (found?.commands.find((command) => command.name() === second) ?? found)?.args ?? [];
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

function quiet(command: Command): Command {
  return (
    command
      .exitOverride()
      .configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
      .helpOption(false)
      .helpCommand(false)
      .allowExcessArguments(false)
      .showSuggestionAfterError(false)
      // An option belongs to the word before it: `audit verify --json` is not `audit --json`.
      .enablePositionalOptions()
  );
}

function declare(
  command: Command,
  verb: AnyVerb,
  entryPoint: EntryPoint | undefined,
  found: (invocation: Invocation) => void,
): void {
  const argumentNames: string[] = [];
  for (const parameter of verb.parameters) {
    if (parameter.kind === 'argument') {
      // Optional for commander, so that `verb --help` works. Missing arguments are reported below.
      command.argument(parameter.rest ? `[${parameter.name}...]` : `[${parameter.name}]`, parameter.summary);
      argumentNames.push(parameter.name);
    } else {
      for (const option of commanderOptions(verb, parameter)) command.addOption(option);
    }
  }
  const format = onlyFormat(verb);
  command.addOption(new NamedOption('format', '--format <format>').argParser(format));
  command.addOption(new NamedOption('format', '--json').preset('json').argParser(format));
  command.addOption(new NamedOption('help', '-h, --help'));
  command.addOption(new NamedOption('verbose', '-v, --verbose'));
  for (const long of planNamesOf(verb)) command.addOption(new NamedOption('plan', `--${long}`));
  command.action((...received: unknown[]) => {
    const options = command.opts<Record<string, unknown>>();
    const input: Record<string, unknown> = {};
    for (const [i, name] of argumentNames.entries()) if (!isMissing(received[i])) input[name] = received[i];
    for (const { kind, name } of verb.parameters)
      if (kind === 'option' && options[name] !== undefined) input[name] = options[name];
    const wantsHelp = options['help'] === true;
    // An option before the second word belongs to the first word. Ignoring it would run a different command than typed.
    const [stray] = verb.name.includes(' ') ? Object.keys(command.parent?.opts() ?? {}) : [];
    if (stray !== undefined) {
      throw new Failure('usage', {
        what: quoted(verb.name),
        why: 'option between its two words',
        next: `type "${verb.name}" first, then the options`,
      });
    }
    const missing = verb.parameters.find(
      (p) =>
        p.kind === 'argument' &&
        entryPoint !== undefined &&
        isRequired(p, entryPoint) &&
        isMissing(input[p.name]) &&
        !isSpared(p, input),
    );
    if (missing !== undefined && !wantsHelp) {
      throw new Failure('usage', {
        what: quoted(verb.name),
        why: `missing argument <${missing.name}>`,
        next: `see "help ${verb.name}"`,
      });
    }
    const format = (options['format'] as Format | undefined) ?? 'table';
    const isStream = verb.streamSwitch !== undefined && input[verb.streamSwitch] === true;
    if (isStream && (format === 'yaml' || format === 'csv') && !wantsHelp) {
      throw new Failure('usage', {
        what: quoted(`${verb.name} --${verb.streamSwitch}`),
        why: `its output has no end, and ${format} is written at the end`,
        next: `leave out --${verb.streamSwitch}, or use --json, which prints a JSON document for each line`,
      });
    }
    found({
      verb: options['plan'] === true ? planOf(verb) : verb,
      input: withOneUser(verb, input),
      format,
      help: wantsHelp,
      ...(options['verbose'] === true ? { verbose: true } : {}),
    });
  });
}

function commanderOptions(verb: AnyVerb, option: Option): CommanderOption[] {
  return option.long.flatMap((long, i) => {
    const short = i === 0 && option.short !== undefined ? `-${option.short}, ` : '';
    const value = option.value === undefined ? '' : ` <${option.value}>`;
    const made = new NamedOption(option.name, `${short}--${long}${value}`, option.summary);
    if (option.choices !== undefined) made.argParser(choiceOf(verb, long, option.choices));
    if (option.repeatable) made.argParser((text: string, before: string[] | undefined) => [...(before ?? []), text]);
    return option.negatable ? [made, new NamedOption(option.name, `--no-${long}`).default(undefined)] : [made];
  });
}

/** Returns a parser that accepts only some values. commander's own would refuse others in its words. */
function choiceOf(verb: AnyVerb, long: string, choices: readonly string[]): (text: string) => string {
  return (text) => {
    if (choices.includes(text)) return text;
    throw new Failure('usage', {
      what: quoted(verb.name),
      why: `--${long} must be ${joinChoices(choices)}, not ${quoted(text)}`,
      next: `see "help ${verb.name}"`,
    });
  };
}

/** Returns a parser of the format that refuses a second one: which of them is meant, only the caller knows. */
function onlyFormat(verb: AnyVerb): (text: string, before: string | undefined) => string {
  const choice = choiceOf(verb, 'format', formats);
  return (text, before) => {
    if (before === undefined || before === text) return choice(text);
    throw new Failure('usage', {
      what: quoted(verb.name),
      why: `two formats were asked for, ${before} and ${choice(text)}`,
      next: 'ask for one; --json is short for --format json',
    });
  };
}

/** An option with an explicit attribute name, so that several spellings set one attribute and the last one counts. */
class NamedOption extends CommanderOption {
  readonly #name: string;

  constructor(name: string, flags: string, summary?: string) {
    super(flags, summary);
    this.#name = name;
  }

  override attributeName(): string {
    return this.#name;
  }
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
  if (!allNames.has(first) && given.some(isHelp)) return ['help', first, ...given.filter((option) => !isHelp(option))];
  return allNames.has(first) ? [first, ...given, ...between.rest] : [first, ...between.rest];
}

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

/**
 * Joins the words of a public key. ssh joins its arguments with spaces, so `--ssh-key "$(cat alice.pub)"` arrives as
 * three or more words. The key extends from its type, or from authorized_keys options before that, to the next option;
 * a lone hyphen belongs to its comment.
 */
function joinPublicKeys(words: readonly string[], verbs: readonly AnyVerb[]): string[] {
  if (!words.some((word) => word.startsWith('--'))) return [...words];
  const flags = new Set(
    verbs.flatMap((verb) =>
      verb.parameters.flatMap((p) => (p.kind === 'option' && p.publicKey ? p.long.map((long) => `--${long}`) : [])),
    ),
  );
  const out: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    const inline = [...flags].find((flag) => word.startsWith(`${flag}=`));
    const flag = inline ?? (flags.has(word) ? word : undefined);
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
