/** Help, generated from the catalogue: an overview, a page per verb, and the same as data for programs. */
import * as z from 'zod';
import type { Actor, EntryPoint } from '../domain/access/actor.ts';
import { Failure, exitCodes, exitMeanings, type ExitName } from '../domain/failure.ts';
import { quoted } from '../domain/text.ts';
import { verbCalled, verbsFor, type AnyVerb } from './catalogue.ts';
import { groups } from './groups.ts';
import { hasPlan, planOptions } from './plan.ts';
import { didYouMean, similar } from './similar.ts';
import { isRequired, type Argument, type Option, type Parameter } from './declaration/verb.ts';
import type { Block, Rows } from './declaration/view.ts';

/** Returns the beginning of a command line, up to the verb, as typed at this entry point. */
export function commandPrefix(entryPoint: EntryPoint, reached?: { host: string; port: number }): string {
  if (entryPoint === 'local' || entryPoint === 'remote') return 'containarium';
  return `ssh -p ${reached?.port ?? 2222} ${entryPoint}@${reached?.host ?? 'jump'}`;
}

/** Returns a command line at this prefix; inside the shell, where the prefix is empty, it is the command alone. */
function typed(prefix: string, line: string): string {
  return prefix === '' ? line.replace(/ (?:<|>>?) \S+$/, '') : `${prefix} ${line}`;
}

/** Returns the verbs that an actor may use, in groups. */
export function overview(actor: Pick<Actor, 'entryPoint' | 'role'>, prefix: string): Block[] {
  const verbs = verbsFor(actor.entryPoint, actor.role);
  return [
    { kind: 'text', text: `Usage: ${typed(prefix, '<verb> [arguments] [--json]')}` },
    ...groups.flatMap(([title, names]): Block[] => {
      const fields = verbs
        .filter(({ name }) => names.includes(name))
        .map(({ name, aliases = [], summary }) => [[name, ...aliases].join(', '), summary] as const);
      return fields.length === 0 ? [] : [{ kind: 'fields', title, fields }];
    }),
    { kind: 'text', tone: 'quiet', text: `For arguments and examples: ${typed(prefix, 'help <verb>')}` },
    ...(actor.entryPoint === 'remote' ? refusedRemotely(verbs) : []),
  ];
}

/** Says which verbs core refuses over the remote interface. Whether the settings allow them, only core knows. */
function refusedRemotely(verbs: readonly AnyVerb[]): Block[] {
  const names = verbs.filter(({ grantsAccess }) => grantsAccess === true).map(({ name }) => name);
  if (names.length === 0) return [];
  const text = `Over ssh only, unless the server has remote.accessVerbs: ${names.join(', ')}`;
  return [{ kind: 'text', tone: 'quiet', text }];
}

/** Returns an argument as shown in usage lines. */
function placeholder(argument: Argument, entryPoint: EntryPoint): string {
  const name = argument.rest ? `${argument.name}…` : argument.name;
  return isRequired(argument, entryPoint) ? `<${name}>` : `[${name}]`;
}

export function usageLine(verb: AnyVerb, entryPoint: EntryPoint = 'manage'): string {
  const args = verb.parameters.filter((p) => p.kind === 'argument').map((p) => placeholder(p, entryPoint));
  const stdin = verb.stdin === undefined || verb.stdin.onlyAsked === true ? '' : ' < key.pub';
  return (
    [verb.name, ...args, ...(verb.parameters.some((p) => p.kind === 'option') ? ['[options]'] : [])].join(' ') + stdin
  );
}

export function optionSyntax(option: Option): string {
  const value = option.value === undefined ? '' : ` <${option.value}>`;
  const names = [
    ...(option.short === undefined ? [] : [`-${option.short}`]),
    ...option.long.map((long) => `--${long}`),
  ];
  return `${names.join(', ')}${value}${option.negatable ? `, --no-${option.long[0]}` : ''}`;
}

export function parameterHelp(parameter: Parameter, entryPoint: EntryPoint = 'manage'): readonly [string, string] {
  if (parameter.kind === 'argument') return [placeholder(parameter, entryPoint), parameter.summary];
  const choices = parameter.choices === undefined ? '' : `: ${parameter.choices.join(', ')}`;
  return [optionSyntax(parameter), `${parameter.summary}${choices}${parameter.repeatable ? ' (may be repeated)' : ''}`];
}

const commonOptions: readonly (readonly [string, string])[] = [
  ['--format <format>', 'output format: table, json, yaml or csv'],
  ['--json', 'print one JSON document on standard output, even for an error'],
  [
    '-v, --verbose',
    'print more on standard error: the record in the journal, the time that it took, and the details of an error',
  ],
  ['-h, --help', 'show this help'],
];

/** Returns the options that a verb has in common with others, and what each does. */
export function commonOptionsOf(verb: AnyVerb): readonly (readonly [string, string])[] {
  return [...planOptions(verb), ...commonOptions];
}

export function verbHelp(verb: AnyVerb, prefix: string, entryPoint: EntryPoint = 'manage'): Block[] {
  return [
    { kind: 'text', text: `Usage: ${typed(prefix, usageLine(verb, entryPoint))}` },
    { kind: 'text', text: `${verb.summary}.${(verb.description ?? []).map((paragraph) => `\n${paragraph}`).join('')}` },
    ...(verb.aliases === undefined ? [] : [{ kind: 'text', text: `Aliases: ${verb.aliases.join(', ')}` } as const]),
    {
      kind: 'fields',
      fields: [...verb.parameters.map((parameter) => parameterHelp(parameter, entryPoint)), ...commonOptionsOf(verb)],
    },
    {
      kind: 'verbatim',
      title: 'Examples',
      text: verb.examples
        .map((e) => `${typed(needsTerminal(verb, e.line) ? onTerminal(prefix) : prefix, e.line)}\n    ${e.says}`)
        .join('\n'),
    },
  ];
}

/** Reports whether a command line asks its user something, or takes the whole terminal. */
function needsTerminal({ handsOverTerminal, viewSwitch, danger }: AnyVerb, line: string): boolean {
  const has = (option: string): boolean => line.split(' ').includes(`--${option}`);
  return (
    handsOverTerminal === true || (viewSwitch !== undefined && has(viewSwitch)) || (danger !== 'none' && !has('yes'))
  );
}

/** Returns the prefix with which ssh requests a terminal. */
export function onTerminal(prefix: string): string {
  return prefix.replace(/^ssh /, 'ssh -t ');
}

/**
 * Returns the verb named by `help <words>`, or all verbs that begin with these words, that verb first. Throws
 * `unknown-command`.
 */
export function verbForHelp(words: readonly string[], actor: Pick<Actor, 'entryPoint' | 'role'>): AnyVerb | AnyVerb[] {
  const name = words.join(' ');
  const verbs = verbsFor(actor.entryPoint, actor.role);
  const verb = verbCalled(name, verbs);
  const group = verbs.filter((candidate) => candidate.name.startsWith(`${name} `));
  if (verb !== undefined) return group.length === 0 ? verb : [verb, ...group];
  if (group.length > 0) return group;
  const near = similar(
    name,
    verbs.map((candidate) => candidate.name),
  );
  throw new Failure('unknown-command', {
    what: quoted(name),
    why: 'no such verb, or you may not use it',
    next: near.length === 0 ? 'see "help"' : didYouMean(near),
  });
}

/** Returns the catalogue as a table, for `help --format csv`. */
export function verbRows(verbs: readonly AnyVerb[], entryPoint: EntryPoint): Rows {
  return {
    columns: ['verb', 'aliases', 'usage', 'summary', 'changes'],
    rows: verbs.map((verb) => [
      verb.name,
      (verb.aliases ?? []).join(' '),
      usageLine(verb, entryPoint),
      verb.summary,
      verb.changes,
    ]),
  };
}

/** Returns the catalogue as data, for `help --json`. */
export function describe(verbs: readonly AnyVerb[]): unknown {
  return {
    verbs: verbs.map((verb) => {
      const known = described.get(verb) ?? describeVerb(verb);
      described.set(verb, known);
      return known;
    }),
    exitCodes: (Object.keys(exitCodes) as ExitName[]).map((name) => ({
      code: exitCodes[name],
      name,
      meaning: exitMeanings[name],
    })),
  };
}

/** Kept, because making the schemas of all verbs takes tens of milliseconds, and anybody may ask for them. */
const described = new WeakMap<AnyVerb, object>();

function describeVerb(verb: AnyVerb): object {
  return {
    name: verb.name,
    aliases: verb.aliases ?? [],
    summary: verb.summary,
    changes: verb.changes,
    danger: verb.danger,
    plan: hasPlan(verb),
    access: verb.access,
    stdin: verb.stdin?.for ?? null,
    parameters: verb.parameters.map((p) =>
      p.kind === 'argument'
        ? { kind: p.kind, name: p.name, required: p.required, rest: p.rest ?? false, summary: p.summary }
        : {
            kind: p.kind,
            name: p.name,
            flags: p.long.map((long) => `--${long}`),
            value: p.value ?? null,
            repeatable: p.repeatable ?? false,
            negatable: p.negatable ?? false,
            choices: p.choices ?? null,
            summary: p.summary,
          },
    ),
    input: z.toJSONSchema(verb.input(), { io: 'input', unrepresentable: 'any' }),
    examples: verb.examples,
  };
}
