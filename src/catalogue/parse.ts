/** From words to a verb and its raw input: the one parser of the headless command line, the shell and local mode. */
import { Command, CommanderError, Option as CommanderOption } from 'commander';
import type { Actor, EntryPoint } from '../domain/access/actor.ts';
import { Failure } from '../domain/failure.ts';
import { printable, quoted } from '../domain/text.ts';
import { verbNamed, verbNames, verbsFor, type AnyVerb } from './catalogue.ts';
import { isRequired, type Option } from './declaration/verb.ts';

export const formats = ['table', 'json', 'yaml', 'csv'] as const;
export type Format = (typeof formats)[number];

export interface Invocation {
  readonly verb: AnyVerb;
  /** As typed: strings, switches and lists. The verb's schema turns it into values. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly format: Format;
  /** `--help` was given: show the verb's help instead of running it. */
  readonly help: boolean;
}

export interface ParseOptions {
  /** A verb that has a form may lack arguments. */
  readonly incomplete?: boolean;
}

/** The words that say how to answer, wherever they stand: needed even when the rest cannot be understood. */
export function wantedFormat(words: readonly string[]): Format {
  let format: Format = 'table';
  for (const [i, word] of words.entries()) {
    if (word === '--') break;
    if (word === '--json') format = 'json';
    const value =
      word === '--format' ? words[i + 1] : word.startsWith('--format=') ? word.slice('--format='.length) : undefined;
    if (value !== undefined && (formats as readonly string[]).includes(value)) format = value as Format;
  }
  return format;
}

/**
 * Parses a command line for one actor. Of a verb that this actor may not use nothing but its name is looked at: core
 * refuses it, and writes that down. Throws a Failure of the usage kind.
 */
export function parseCommandLine(
  typed: readonly string[],
  actor: Pick<Actor, 'entryPoint' | 'role'>,
  options: ParseOptions = {},
): Invocation {
  const all = verbNames.map(verbNamed);
  const words = verbFirst(typed, all);
  if (words.length === 0)
    throw new Failure('usage', { what: 'the command line', why: 'no verb was given', next: 'help' });
  const verbs = verbsFor(actor.entryPoint, actor.role);
  const named = called(`${words[0]} ${words[1] ?? ''}`, all) ?? called(words[0] ?? '', all);
  if (named !== undefined && !verbs.includes(named))
    return { verb: named, input: {}, format: wantedFormat(words), help: false };
  let found: Invocation | undefined;
  const program = quiet(new Command('containarium'));
  const groups = new Map<string, Command>();

  for (const verb of verbs) {
    const names = [verb.name, ...(verb.aliases ?? [])];
    for (const [i, name] of names.entries()) {
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
      declare(
        command,
        verb,
        options.incomplete === true && verb.form !== undefined ? undefined : actor.entryPoint,
        (invocation) => (found = invocation),
      );
    }
  }
  try {
    program.parse(joinPublicKeys(words, verbs), { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) throw asFailure(error, words, verbs);
    throw error;
  }
  if (found === undefined)
    throw new Failure('usage', { what: 'the command line', why: 'it names no verb', next: 'help' });
  return found;
}

/** The verb with this name or alias. */
function called(name: string, verbs: readonly AnyVerb[]): AnyVerb | undefined {
  return verbs.find((verb) => verb.name === name || verb.aliases?.includes(name));
}

function quiet(command: Command): Command {
  return (
    command
      .exitOverride()
      .configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
      .helpOption(false)
      .helpCommand(false)
      .allowExcessArguments(false)
      .showSuggestionAfterError(true)
      // Options belong to the word they follow: `audit verify --json` is not `audit --json`.
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
      // Optional to commander, so that `verb --help` works; a missing one is reported below.
      command.argument(parameter.rest ? `[${parameter.name}...]` : `[${parameter.name}]`, parameter.summary);
      argumentNames.push(parameter.name);
    } else {
      for (const option of commanderOptions(parameter)) command.addOption(option);
    }
  }
  command.addOption(new NamedOption('format', '--format <format>').choices([...formats]));
  command.addOption(new NamedOption('format', '--json').preset('json'));
  command.addOption(new NamedOption('help', '-h, --help'));
  command.action((...received: unknown[]) => {
    const options = command.opts<Record<string, unknown>>();
    const input: Record<string, unknown> = {};
    for (const [i, name] of argumentNames.entries()) if (received[i] !== undefined) input[name] = received[i];
    for (const { kind, name } of verb.parameters)
      if (kind === 'option' && options[name] !== undefined) input[name] = options[name];
    const wantsHelp = options['help'] === true;
    // What stands before the second word belongs to the first one alone: dropping it would answer another question than
    // was asked.
    const [stray] = verb.name.includes(' ') ? Object.keys(command.parent?.opts() ?? {}) : [];
    if (stray !== undefined) {
      throw new Failure('usage', {
        what: quoted(verb.name),
        why: 'an option stands between its two words',
        next: `write ${verb.name} first, then the options`,
      });
    }
    const missing = verb.parameters.find(
      (p) => p.kind === 'argument' && entryPoint !== undefined && isRequired(p, entryPoint) && isMissing(input[p.name]),
    );
    if (missing !== undefined && !wantsHelp) {
      throw new Failure('usage', {
        what: quoted(verb.name),
        why: `the argument <${missing.name}> is missing`,
        next: `help ${verb.name}`,
      });
    }
    found({
      verb,
      input,
      format: (options['format'] as Format | undefined) ?? 'table',
      help: wantsHelp,
    });
  });
}

/** commander gives an empty list for words that were not given. */
function isMissing(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.length === 0);
}

function commanderOptions(option: Option): CommanderOption[] {
  return option.long.flatMap((long, i) => {
    const short = i === 0 && option.short !== undefined ? `-${option.short}, ` : '';
    const value = option.value === undefined ? '' : ` <${option.value}>`;
    const made = new NamedOption(option.name, `${short}--${long}${value}`, option.summary);
    if (option.choices !== undefined) made.choices([...option.choices]);
    if (option.repeatable) made.argParser((text: string, before: string[] | undefined) => [...(before ?? []), text]);
    return option.negatable ? [made, new NamedOption(option.name, `--no-${long}`).default(undefined)] : [made];
  });
}

/**
 * An option whose value goes under a name of ours, so that several spellings are one option and the last one given
 * counts.
 */
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
 * The options that every verb has may stand before it too: `--json list`, `key --format yaml list alice`. They are put
 * behind the verb's name. Asking for help without a verb, or with the first word of several, is asking `help`.
 */
function verbFirst(words: readonly string[], verbs: readonly AnyVerb[]): string[] {
  const names = new Set(verbs.flatMap((verb) => [verb.name, ...(verb.aliases ?? [])]));
  const { options, rest } = leadingOptions(words);
  const [first, ...others] = rest;
  if (first === undefined) return options.some(isHelp) ? ['help', ...options.filter((option) => !isHelp(option))] : [];
  if (![...names].some((name) => name.startsWith(`${first} `))) return [first, ...options, ...others];
  const between = leadingOptions(others);
  const given = [...options, ...between.options];
  const [second, ...more] = between.rest;
  // Also where the second word is an argument, because the first is a verb by itself: `keys alice`.
  if (second !== undefined && !second.startsWith('-')) return [first, second, ...given, ...more];
  if (!names.has(first) && given.some(isHelp)) return ['help', first, ...given.filter((option) => !isHelp(option))];
  return names.has(first) ? [first, ...given, ...between.rest] : [first, ...between.rest];
}

const isHelp = (word: string): boolean => word === '-h' || word === '--help';

function leadingOptions(words: readonly string[]): { options: string[]; rest: readonly string[] } {
  let count = 0;
  for (let word = words[0]; word !== undefined; word = words[count]) {
    if (word === '--format' && count + 1 < words.length) count += 2;
    else if (word === '--json' || isHelp(word) || word.startsWith('--format=')) count += 1;
    else break;
  }
  return { options: words.slice(0, count), rest: words.slice(count) };
}

const keyType = /^(ssh-|ecdsa-sha2-|sk-)[a-z0-9@.-]+$/;

/**
 * ssh joins its arguments with blanks, so `--ssh-key "$(cat alice.pub)"` arrives as three or more words. They are put
 * back together: from the key type up to the next option; a comment may have a hyphen of its own.
 */
function joinPublicKeys(words: readonly string[], verbs: readonly AnyVerb[]): string[] {
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
    if (flag === undefined || first === undefined || !keyType.test(first)) {
      out.push(word);
      continue;
    }
    let end = inline === undefined ? i + 2 : i + 1;
    while (end < words.length && !/^-./.test(words[end] ?? '')) end++;
    out.push(`${flag}=${[first, ...words.slice(inline === undefined ? i + 2 : i + 1, end)].join(' ')}`);
    i = end - 1;
  }
  return out;
}

/** commander repeats whatever was typed, however long. */
function cut(message: string): string {
  return message.length > 300 ? `${message.slice(0, 299)}…` : message;
}

function asFailure(error: CommanderError, words: readonly string[], verbs: readonly AnyVerb[]): Failure {
  const [verb = '', second] = words;
  const group = verbs.map(({ name }) => name).filter((name) => name.startsWith(`${verb} `));
  const known = (second === undefined ? undefined : called(`${verb} ${second}`, verbs)) ?? called(verb, verbs);
  if (error.code === 'commander.help')
    return new Failure('usage', { what: quoted(verb), why: 'it needs a second word', next: group.join(', ') });
  // A verb that is also the first word of others takes their misspelt second words for arguments.
  const misspelt =
    error.code === 'commander.excessArguments' &&
    group.length > 0 &&
    known?.name === verb &&
    second?.startsWith('-') === false;
  if (misspelt || error.code === 'commander.unknownCommand') {
    // In a group only the second word is compared: the first one is right, and would make every other look alike.
    const typed = group.length > 0 ? `${verb} ${second ?? ''}` : verb;
    const near =
      group.length > 0
        ? similar(
            second ?? '',
            group.map((name) => name.slice(verb.length + 1)),
          ).map((name) => `${verb} ${name}`)
        : similar(
            verb,
            verbs.flatMap(({ name, aliases }) => [name, ...(aliases ?? [])]),
          );
    return new Failure('unknown-command', {
      what: quoted(typed),
      why: 'there is no such verb',
      next:
        near.length === 0
          ? group.join(', ') || 'help'
          : `did you mean ${near.map((name) => `"${name}"`).join(' or ')}?`,
    });
  }
  const [first = '', suggestion = ''] = error.message.replace(/^error: /, '').split('\n');
  const next = known === undefined ? 'help' : `help ${known.name}`;
  return new Failure(error.code === 'commander.unknownOption' ? 'unknown-option' : 'usage', {
    what: known === undefined ? 'the command line' : quoted(known.name),
    why: cut(printable(first.replace(/\.$/, ''))),
    next: suggestion === '' ? next : printable(suggestion.replace(/^\(Did/, 'did').replace(/\)$/, '')),
  });
}

/** Which of `names` (of one or two words) somebody who typed this may have meant, by commander's own measure. */
function similar(typed: string, names: readonly string[]): string[] {
  const join = (name: string): string => name.replace(' ', '-');
  const probe = quiet(new Command());
  for (const name of new Set(names.map(join))) probe.command(name);
  try {
    probe.parse([join(typed)], { from: 'user' });
  } catch (error) {
    const [, found = ''] =
      /\(Did you mean (?:one of )?(.*)\?\)$/.exec(error instanceof CommanderError ? error.message : '') ?? [];
    return names.filter((name) => found.split(', ').includes(join(name)));
  }
  return [];
}
