/** A typed line: which verb, with which input, and whether it is enough. The parser is the headless one. */
import { verbForHelp, overview, verbHelp } from '../../catalogue/help.ts';
import type { AnyVerb } from '../../catalogue/catalogue.ts';
import { parseCommandLine, type Format } from '../../catalogue/parse.ts';
import { splitLine } from '../../catalogue/tokens.ts';
import { isRequired, wantsStdin } from '../../catalogue/declaration/verb.ts';
import type { Block } from '../../catalogue/declaration/view.ts';
import type { Actor } from '../../domain/access/actor.ts';
import { builtins } from './builtins.ts';

export type Understood = { readonly kind: 'help'; readonly blocks: (prefix: string) => Block[] } | UnderstoodVerb;

export interface UnderstoodVerb {
  readonly kind: 'verb';
  readonly verb: AnyVerb;
  readonly input: Readonly<Record<string, unknown>>;
  readonly format: Format;
  /** Something that it needs was not given, and a form can ask for it. */
  readonly incomplete: boolean;
}

/** Throws a Failure of the usage kind for a line that cannot be understood. */
export function understand(line: string, actor: Actor): Understood {
  const words = /^say\s/.test(line) ? freeText(line) : splitLine(line);
  const { verb, input, format, help } = parseCommandLine(words, actor, { incomplete: true });
  if (help || verb.answeredLocally === true)
    return {
      kind: 'help',
      blocks: (prefix) => helpBlocks(help ? [verb.name] : [input['verb'], input['subverb']], actor, prefix),
    };
  return { kind: 'verb', verb, input, format, incomplete: isIncomplete(verb, input, actor) };
}

/** Of what is said nothing is syntax: an apostrophe is no open quote. */
function freeText(line: string): string[] {
  return ['say', '--', line.slice('say'.length).trim()];
}

/** Whether a form should ask. Verbs without one fail as they do headless, naming what is missing. */
function isIncomplete(verb: AnyVerb, input: Readonly<Record<string, unknown>>, actor: Actor): boolean {
  if (verb.form === undefined) return false;
  const missing = verb.parameters.some(
    (parameter) =>
      parameter.kind === 'argument' && isRequired(parameter, actor.entryPoint) && input[parameter.name] === undefined,
  );
  const key = wantsStdin(verb, input);
  const choice = verb.form.oneOf?.every((name) => input[name] === undefined) === true;
  return missing || key || choice;
}

function helpBlocks(asked: readonly unknown[], actor: Actor, prefix: string): Block[] {
  const words = asked.filter((word): word is string => typeof word === 'string');
  if (words.length === 0) {
    return [
      ...overview(actor, prefix),
      {
        kind: 'fields',
        title: 'In this shell also',
        fields: builtins.map(({ value, says }) => [value, says] as const),
      },
      {
        kind: 'text',
        tone: 'quiet',
        text: 'Tab completes, Up and Ctrl-R find what was typed before, Ctrl-O opens the live list. Outside the shell every verb works as one line of ssh.',
      },
    ];
  }
  const found = verbForHelp(words.join(' ').split(' '), actor);
  return (Array.isArray(found) ? found : [found]).flatMap((verb) => verbHelp(verb, prefix, actor.entryPoint));
}
