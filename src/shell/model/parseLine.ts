/** Parses a typed line into a verb and its input, with the same parser as a command without a shell. */
import { builtins } from '../../catalogue/builtins.ts';
import { verbForHelp, overview, verbHelp } from '../../catalogue/help.ts';
import type { AnyVerb } from '../../catalogue/catalogue.ts';
import type { Format } from '../../catalogue/format.ts';
import { parseCommandLine } from '../../catalogue/parse.ts';
import { splitLine } from '../../catalogue/tokens.ts';
import { lacksValues, wantsStdin } from '../../catalogue/declaration/verb.ts';
import type { Block } from '../../catalogue/declaration/view.ts';
import type { Actor } from '../../domain/access/actor.ts';
import { Failure } from '../../domain/failure.ts';
import { maxLineLength } from '../composer/line.ts';

export type ParsedLine = { readonly kind: 'help'; readonly blocks: () => Block[] } | ParsedVerb;

export interface ParsedVerb {
  readonly kind: 'verb';
  readonly verb: AnyVerb;
  readonly input: Readonly<Record<string, unknown>>;
  readonly format: Format;
  /** Whether required input is missing that a form can ask for. */
  readonly incomplete: boolean;
}

/** The refusal of a line that is longer than one can be typed. */
export const lineTooLong = new Failure('input-too-large', {
  what: 'the line',
  why: `it is longer than ${maxLineLength} characters`,
  next: 'send long input on standard input, without a terminal',
});

/** Parses a line. Throws a Failure with code `usage` if it cannot. */
export function parseLine(line: string, actor: Actor): ParsedLine {
  const words = /^say\s/.test(line) ? freeText(line) : splitLine(line);
  const builtin = words[0] === 'help' ? builtins.find(({ value }) => value === words[1]) : undefined;
  if (builtin !== undefined && words.length === 2)
    return { kind: 'help', blocks: () => [{ kind: 'fields', fields: [[builtin.value, builtin.says]] }] };
  const { verb, input, format, help } = parseCommandLine(words, actor, { incomplete: true });
  if (help || verb.answeredLocally === true)
    return {
      kind: 'help',
      blocks: () => helpBlocks(help ? [verb.name] : [input['verb'], input['subverb']], actor),
    };
  return { kind: 'verb', verb, input, format, incomplete: isIncomplete(verb, input, actor) };
}

/** Splits a `say` line. Its text has no syntax: an apostrophe does not open a quote. */
function freeText(line: string): string[] {
  return ['say', '--', line.slice('say'.length).trim()];
}

/** Reports whether a form should ask for missing input. A verb without a form fails as it does outside the shell. */
function isIncomplete(verb: AnyVerb, input: Readonly<Record<string, unknown>>, actor: Actor): boolean {
  return verb.form !== undefined && (lacksValues(verb, input, actor.entryPoint) || wantsStdin(verb, input));
}

/** Inside the shell nothing stands before a command. */
const inShell = '';

function helpBlocks(topic: readonly unknown[], actor: Actor): Block[] {
  const words = topic.filter((word): word is string => typeof word === 'string');
  if (words.length === 0) {
    return [
      ...overview(actor, inShell),
      {
        kind: 'fields',
        title: 'Only in this shell',
        fields: builtins.map(({ value, says }) => [value, says] as const),
      },
      {
        kind: 'text',
        tone: 'quiet',
        text: 'Tab completes, Up and Ctrl-R find earlier lines, Ctrl-O opens the live list. Outside the shell, every verb also works as a single ssh command.',
      },
    ];
  }
  const found = verbForHelp(words.join(' ').split(' '), actor);
  return (Array.isArray(found) ? found : [found]).flatMap((verb) => verbHelp(verb, inShell, actor.entryPoint));
}
