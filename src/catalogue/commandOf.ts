/** The command line of a call, for messages that name it. */
import type { AnyVerb } from './catalogue.ts';
import { targetOf } from './declaration/verb.ts';
import { joinWords } from './tokens.ts';

/** Options of a call that say how it is confirmed, not what it does. */
const ofConfirmation: readonly string[] = ['yes', 'confirm'];

/**
 * Returns the words that make this call: the verb, its arguments, and the options that were given, without `--yes`. The
 * target has its own name, however it was typed. What came on standard input is left out: it may be a secret.
 */
export function commandOf(verb: AnyVerb, input: Readonly<Record<string, unknown>>): string {
  const words = verb.parameters.flatMap((parameter): readonly string[] => {
    const { name } = parameter;
    const value = name === verb.target ? (targetOf(verb, input) ?? input[name]) : input[name];
    if (value === undefined || ofConfirmation.includes(name)) return [];
    if (parameter.kind === 'argument') return textsOf(value);
    const long = `--${parameter.long[0]}`;
    if (value === false && parameter.negatable === true) return [`--no-${parameter.long[0]}`];
    if (parameter.value === undefined) return value === true ? [long] : [];
    return textsOf(name === verb.stdin?.into ? '-' : value).flatMap((text) => [long, text]);
  });
  return [verb.name, ...(words.length === 0 ? [] : [joinWords(words)])].join(' ');
}

function textsOf(value: unknown): readonly string[] {
  const all: readonly unknown[] = Array.isArray(value) ? value : [value];
  return all.flatMap((one) => (typeof one === 'string' || typeof one === 'number' ? [String(one)] : []));
}
