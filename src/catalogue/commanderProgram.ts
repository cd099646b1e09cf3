/** Programs of commander: what parses the command lines of the verbs with one first word. */
import { Command, Option as CommanderOption } from 'commander';
import type { EntryPoint, Role } from '../domain/access/actor.ts';
import { Failure } from '../domain/failure.ts';
import { joinChoices, quoted } from '../domain/text.ts';
import { verbsFor, type AnyVerb } from './catalogue.ts';
import { withOneUser } from './declaration/several.ts';
import { isRequired, isSpared, type Option } from './declaration/verb.ts';
import { formats, type Format } from './format.ts';
import { planNamesOf, planOf } from './plan.ts';
import { isMissing } from './shapes.ts';

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

/** Who types, and whether arguments of a verb that has a form may be missing. */
export interface Typist {
  readonly entryPoint: EntryPoint;
  readonly role: Role;
  readonly incomplete: boolean;
}

export class CommanderProgram {
  readonly #program = quiet(new Command('containarium'));
  #found: Invocation | undefined;

  /** Declares the verbs that begin with `first`. If there is none, it has all names, and refuses every command line. */
  constructor(first: string, { entryPoint, role, incomplete }: Typist) {
    const verbs = verbsFor(entryPoint, role);
    const begun = verbs.filter((verb) => namesOf(verb).some((name) => firstOf(name) === first));
    const groups = new Map<string, Command>();
    const groupOf = (word: string, hidden: boolean): Command => {
      const known = groups.get(word) ?? quiet(this.#program.command(word, { hidden }));
      groups.set(word, known);
      return known;
    };
    for (const verb of begun.length > 0 ? begun : verbs) {
      for (const [i, name] of namesOf(verb).entries()) {
        const [word, second] = name.split(' ') as [string, string | undefined];
        if (begun.length > 0 && word !== first) continue;
        const command =
          second === undefined ? groupOf(word, i > 0) : quiet(groupOf(word, false).command(second, { hidden: i > 0 }));
        if (begun.length === 0) continue;
        const requiredAt = incomplete && verb.form !== undefined ? undefined : entryPoint;
        declare(command, verb, requiredAt, (invocation) => (this.#found = invocation));
      }
    }
  }

  /** Returns what the words say. Throws a CommanderError or a Failure. */
  parse(words: readonly string[]): Invocation | undefined {
    this.#found = undefined;
    this.#program.parse(words, { from: 'user' });
    return this.#found;
  }

  /** Returns the arguments that the last `parse` has found of the verb that a command line names. */
  arguments([first, second]: readonly string[]): readonly string[] {
    const found = this.#program.commands.find((command) => command.name() === first);
    return (found?.commands.find((command) => command.name() === second) ?? found)?.args ?? [];
  }
}

const programs = new Map<string, CommanderProgram>();

/**
 * Parses words with a program that is kept, because it takes ten times as long to declare a verb as to parse a command
 * line. One that has thrown is not kept: commander clears no more than what its next command line comes to.
 */
export function parseWith(
  words: readonly string[],
  typist: Typist,
  failed: (error: unknown, given: CommanderProgram) => never,
): Invocation | undefined {
  const [first = ''] = words;
  const key = `${typist.entryPoint} ${typist.role} ${typist.incomplete} ${first}`;
  const program = programs.get(key) ?? new CommanderProgram(first, typist);
  programs.delete(key);
  try {
    const found = program.parse(words);
    programs.set(key, program);
    return found;
  } catch (error) {
    return failed(error, program);
  }
}

const namesOf = ({ name, aliases = [] }: AnyVerb): readonly string[] => [name, ...aliases];

const firstOf = (name: string): string => name.split(' ')[0] ?? '';

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
