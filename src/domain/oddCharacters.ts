/**
 * Names for characters that a person cannot see, or takes for another one: invisible ones, and those that word
 * processors and chat programs put in place of what was typed. A message that quotes them explains nothing.
 */
import { Failure, failureCodes } from './failure.ts';
import { printable } from './text.ts';

const names: Readonly<Record<string, string>> = {
  '\u00a0': 'a no-break space',
  '\u00ad': 'a soft hyphen',
  '\u200b': 'a zero-width space',
  '\u200c': 'a zero-width non-joiner',
  '\u200d': 'a zero-width joiner',
  '\u202e': 'a character that turns the direction of the text',
  '\u202f': 'a narrow no-break space',
  '\u2060': 'a word joiner',
  '\u3000': 'a wide space',
  '\ufeff': 'a byte order mark',
  '\t': 'a tab',
  '\n': 'a line break',
  '\r': 'a line break',
  '\u2010': 'a typographic hyphen',
  '\u2011': 'a no-break hyphen',
  '\u2012': 'a figure dash',
  '\u2013': 'an en dash',
  '\u2014': 'an em dash',
  '\u2015': 'a horizontal bar',
  '\u2212': 'a minus sign',
  '\uff0d': 'a wide hyphen',
  '\u2026': 'an ellipsis',
};

const dashes = '\u2010-\u2015\u2212\ufe58\ufe63\uff0d';
const odd = new RegExp(`[${dashes}\u2018-\u201f\u2026\u2032\u2033\u2039\u203a\u00ab\u00bb\uff02\uff07]`, 'u');
const quotationMark = /[\u2018-\u201f\u2032\u2033\u2039\u203a\u00ab\u00bb\uff02\uff07]/u;
const leadingDash = new RegExp(`^[${dashes}][-${dashes}]*`, 'u');

/** Returns the first such character of a text, as a noun phrase: `an em dash "—" (U+2014)`. */
export function oddCharacterIn(text: string): string | undefined {
  for (const character of text) {
    const isBlank = character !== ' ' && /\s/u.test(character);
    const isVisible = printable(character) === character && !isBlank;
    if (isVisible && !odd.test(character)) continue;
    const code = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
    return isVisible
      ? `${nameOf(character)} "${character}" (${code})`
      : `${names[character] ?? (isBlank ? 'an unusual space' : 'an invisible character')} (${code})`;
  }
  return undefined;
}

function nameOf(character: string): string {
  return names[character] ?? (quotationMark.test(character) ? 'a typographic quotation mark' : 'a typographic dash');
}

/** Returns what follows the typographic dash, and hyphens, at the start of a word; undefined if it starts otherwise. */
export function afterTypographicDash(word: string): string | undefined {
  const [dash] = leadingDash.exec(word) ?? [];
  return dash === undefined ? undefined : word.slice(dash.length);
}

/** Returns a reason with the first such character of the text that it is about. */
export function withOddCharacter(why: string, text: string): string {
  const found = oddCharacterIn(text);
  return found === undefined ? why : `${why}, and what was given has ${found}`;
}

/** How much of a value a failure must quote to be about it, in characters. */
const quotedLength = 20;

/** Returns a failure that names such a character in the input that it quotes. */
export function namingOddCharacter(failure: Failure, input: readonly unknown[]): Failure {
  const exit = failureCodes[failure.code];
  if (exit !== 'usage' && exit !== 'notFound') return failure;
  const said = `${failure.what} ${failure.why}`;
  const typed = input
    .flat()
    .find(
      (value): value is string =>
        typeof value === 'string' &&
        oddCharacterIn(value) !== undefined &&
        said.includes(printable([...value].slice(0, quotedLength).join(''))),
    );
  if (typed === undefined || said.includes('(U+')) return failure;
  return new Failure(failure.code, { ...failure.toData(), why: withOddCharacter(failure.why, typed) }, failure.cause);
}
