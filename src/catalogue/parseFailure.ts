/** Says what is wrong with a command line, in this system's words. */
import type { CommanderError } from 'commander';
import { Failure } from '../domain/failure.ts';
import { joinChoices, quoted } from '../domain/text.ts';
import { builtinOf } from './builtins.ts';
import { verbCalled, verbOf, type AnyVerb } from './catalogue.ts';
import { planNamesOf } from './plan.ts';
import { didYouMean, similar } from './similar.ts';

/** Returns `"ban add", "ban lift" or "ban list"`. */
function choice(names: readonly string[]): string {
  return joinChoices(names.map((name) => quoted(name)));
}

/** Returns the names and aliases that are similar to `typed`, at most one of each verb. */
function similarVerbs(typed: string, verbs: readonly AnyVerb[]): string[] {
  const names = verbs.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  const byVerb = Map.groupBy(similar(typed, names), (name) => verbCalled(name, verbs));
  return [...byVerb.values()].flatMap(([name = '']) => name);
}

/** Returns what the caller of a command line with these arguments is told of an error of commander. */
export function parseFailure(
  error: CommanderError,
  words: readonly string[],
  verbs: readonly AnyVerb[],
  given: readonly string[],
): Failure {
  const [verb = '', second] = words;
  const group = verbs.map(({ name }) => name).filter((name) => name.startsWith(`${verb} `));
  const known = verbOf(words, verbs);
  if (error.code === 'commander.help')
    return new Failure('usage', { what: quoted(verb), why: 'missing second word', next: choice(group) });
  const builtin = known === undefined && group.length === 0 ? builtinOf(verb) : undefined;
  if (builtin !== undefined)
    return new Failure('unknown-command', {
      what: quoted(verb),
      why: `only the shell has it, to ${builtin.says}`,
      next: 'open the shell with ssh and no command, or see "help"',
    });
  // A verb that is also the first word of other verbs takes their misspelt second words as arguments.
  const misspelt =
    error.code === 'commander.excessArguments' &&
    group.length > 0 &&
    known?.name === verb &&
    second?.startsWith('-') === false;
  if (misspelt || error.code === 'commander.unknownCommand') {
    // In a group, compares only the second word: the correct first word would make all candidates similar.
    const typed = group.length > 0 ? `${verb} ${second ?? ''}` : verb;
    const near =
      group.length > 0
        ? similar(
            second ?? '',
            group.map((name) => name.slice(verb.length + 1)),
          ).map((name) => `${verb} ${name}`)
        : similarVerbs(verb, verbs);
    return new Failure('unknown-command', {
      what: quoted(typed),
      why: 'no such verb',
      next: near.length === 0 ? (group.length === 0 ? 'see "help"' : choice(group)) : didYouMean(near),
    });
  }
  const isUnknown = error.code === 'commander.unknownOption';
  const near = isUnknown && known !== undefined ? similarOptions(known, nameIn(error)) : [];
  const help = known === undefined ? 'help' : `help ${known.name}`;
  const extra = error.code === 'commander.excessArguments' ? extraOf(known, given) : undefined;
  const quoting = mayBePart(extra, words) ? `; ${quoteTwice}` : '';
  return new Failure(isUnknown ? 'unknown-option' : 'usage', {
    what: known === undefined ? 'command line' : quoted(known.name),
    why: reason(error, known, given),
    next: near.length > 0 ? `did you mean ${joinChoices(near)}?` : `see ${quoted(help)}${quoting}`,
  });
}

/** The caller's own shell removes the first quotes, and ssh joins its arguments with spaces. */
const quoteTwice = `over ssh, a value with spaces needs quotes within quotes: '"two words"'`;

function argumentNames(verb: AnyVerb | undefined): readonly string[] {
  return (verb?.parameters ?? []).flatMap(({ kind, name }) => (kind === 'argument' ? [name] : []));
}

/** Returns the first argument that the verb does not take. */
function extraOf(verb: AnyVerb | undefined, given: readonly string[]): string | undefined {
  return given[argumentNames(verb).length];
}

/** Reports whether an extra argument may be part of an option's value whose quotes were lost. */
function mayBePart(extra: string | undefined, words: readonly string[]): boolean {
  const hasOption = words.some((word) => word.startsWith('-'));
  return hasOption && extra !== undefined && extra !== '' && !extra.startsWith('-');
}

/** Says what is wrong with a command line. The texts of commander are its own, and change with it. */
function reason(error: CommanderError, verb: AnyVerb | undefined, given: readonly string[]): string {
  switch (error.code) {
    case 'commander.unknownOption':
      return `unknown option ${quoted(nameIn(error))}`;
    case 'commander.optionMissingArgument':
      return `missing value: ${nameIn(error).replace(/^-., /, '')}`;
    case 'commander.excessArguments': {
      const names = argumentNames(verb).map((name) => `<${name}>`);
      const extra = extraOf(verb, given);
      const takes = names.length === 0 ? 'none' : `only ${names.join(' and ')}`;
      return `too many arguments${extra === undefined ? '' : `: ${quoted(extra)}`}; it takes ${takes}`;
    }
    default:
      return 'it is not a command';
  }
}

/** Returns the name in an error of commander, which has it only in its message: `error: unknown option '--cpus=2'`. */
function nameIn({ message }: CommanderError): string {
  const [, name = ''] = /'(.*)'/s.exec(message) ?? [];
  return name.startsWith('--') ? name.replace(/=.*/s, '') : name;
}

/** Returns the options of a verb that are similar to an unknown one. */
function similarOptions(verb: AnyVerb, typed: string): string[] {
  if (!typed.startsWith('--')) return [];
  const names = verb.parameters.flatMap((parameter) =>
    parameter.kind === 'option'
      ? parameter.long.flatMap((long) => (parameter.negatable ? [long, `no-${long}`] : [long]))
      : [],
  );
  const common = ['format', 'json', 'verbose', 'help', ...planNamesOf(verb)];
  return similar(typed.slice(2), [...names, ...common]).map((name) => `--${name}`);
}
