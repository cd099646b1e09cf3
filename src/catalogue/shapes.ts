/** Refuses words that the parser would read as something else than their writer meant. */
import { Failure } from '../domain/failure.ts';
import { afterTypographicDash, oddCharacterIn } from '../domain/oddCharacters.ts';
import { quoted } from '../domain/text.ts';
import type { AnyVerb } from './catalogue.ts';
import type { Option } from './declaration/verb.ts';
import { planNames } from './plan.ts';

/** Checks the words of a verb's command line. Free text, such as that of `say`, may be anything. */
export function refuseUnknownShapes(words: readonly string[], verb: AnyVerb): void {
  const end = words.indexOf('--');
  const isFreeText = verb.parameters.some(
    (parameter) => parameter.kind === 'argument' && parameter.rest === true && parameter.complete === undefined,
  );
  for (const word of end === -1 ? words : words.slice(0, end)) {
    refuseCluster(word, verb);
    if (!isFreeText) refuseDash(word, verb);
  }
}

/** Refuses `-la`, the options of another program: it would be the label `a`. */
function refuseCluster(word: string, verb: AnyVerb): void {
  if (!/^-[A-Za-z]{2}/.test(word)) return;
  const options = verb.parameters.filter((parameter) => parameter.kind === 'option');
  const first = [...word.slice(1)].findIndex((letter) => withShort(options, letter)?.value !== undefined) + 1;
  const option = withShort(options, word[first] ?? '');
  const rest = word.slice(first + 1);
  if (first === 0 || option === undefined || !/^[A-Za-z]/.test(rest)) return;
  throw new Failure('unknown-option', {
    what: quoted(verb.name),
    why: `unknown option ${quoted(word)}`,
    next: `if ${quoted(rest)} is the ${option.value ?? 'value'} of --${option.long[0]}, write --${option.long[0]} ${rest}; see "help ${verb.name}"`,
  });
}

function withShort(options: readonly Option[], letter: string): Option | undefined {
  return options.find(({ short }) => short === letter);
}

/** Refuses `—memory`, which a word processor or a chat program has made of `--memory`. */
function refuseDash(word: string, verb: AnyVerb): void {
  const [name = '', value] = afterTypographicDash(word)?.split('=') ?? [];
  const isOption = verb.parameters.some(
    (parameter) => parameter.kind === 'option' && (parameter.long.includes(name) || parameter.short === name),
  );
  if (!isOption && !['format', 'json', 'help', ...planNames, 'h'].includes(name)) return;
  const meant = `${name.length === 1 ? '-' : '--'}${name}`;
  throw new Failure('unknown-option', {
    what: quoted(verb.name),
    why: `${quoted(word)} begins with ${oddCharacterIn(word) ?? 'a dash'}, not with ${name.length === 1 ? 'a hyphen' : 'two hyphens'}`,
    next: `type it: ${meant}${value === undefined ? '' : `=${value}`}`,
  });
}

/** Refuses `info ''`, of which ssh sends only the blank: without its argument the verb is about the host. */
export function refuseEmptyArgument(verb: AnyVerb, input: Readonly<Record<string, unknown>>): void {
  if (verb.answeredLocally === true) return;
  const absent = verb.parameters.find((parameter) => parameter.kind === 'argument' && isMissing(input[parameter.name]));
  if (absent === undefined) return;
  throw new Failure('usage', {
    what: quoted(verb.name),
    why: `<${absent.name}> is empty`,
    next: `give a value, or leave it out with the blank before it; see "help ${verb.name}"`,
  });
}

/** Reports whether an argument is missing. For a missing rest argument, commander gives an empty list. */
export function isMissing(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.length === 0);
}
