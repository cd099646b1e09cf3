/**
 * Escaping of untrusted text for display.
 *
 * Text from a client, a key comment, a container, Incus or a log may contain terminal control sequences, bidirectional
 * overrides or zero-width characters. None of these may reach a terminal, a table, a file name or a log line unescaped.
 */
import { lazily } from './lazily.ts';

/**
 * Control characters (C0, DEL, C1), line and paragraph separators, everything of Unicode's format category
 * (bidirectional marks and overrides, zero-width characters, tags, soft hyphen, byte order mark), unpaired surrogates,
 * private use.
 */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{DI}]/gu;

/** Invisible characters that are not format characters in Unicode. Terminals disagree about their width. */
const invisible = /[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\u{e0100}-\u{e01ef}]/gu;

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** Returns `text` on one line with every unsafe character escaped, as `\u{…}` or by `escape`. */
export function printable(text: string, escape: (character: string) => string = escaped): string {
  return text.replace(unsafe, escape).replace(invisible, escape);
}

/** Like {@link printable}, for text of several lines: line feeds stay, tabs become two spaces. */
export function printableLines(text: string): string {
  return text
    .replace(/\r\n/g, '\n')
    .split('\n')
    .map((line) => printable(line.replaceAll('\t', '  ')))
    .join('\n');
}

/** Returns `text` in quotation marks, printable and cut to `limit` characters, for messages that quote input. */
export function quoted(text: string, limit = 60): string {
  const characters = [...text];
  const kept = characters.length > limit ? `${characters.slice(0, limit - 1).join('')}…` : text;
  return `"${printable(kept)}"`;
}

/** Returns `1 key` or `2 keys`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** British, because American English has a comma before "or". */
const list = lazily(() => new Intl.ListFormat('en-GB', { type: 'disjunction' }));

/** Returns `a, b or c`. */
export function joinChoices(choices: readonly string[]): string {
  return list().format(choices);
}

/** Returns `value` as JSON that is safe on a terminal: unsafe characters in strings become `\uXXXX`. */
export function safeJson(value: unknown, indent?: number): string {
  // JSON.stringify returns undefined for undefined and for functions, contrary to its type.
  const text = (JSON.stringify(value, undefined, indent) as string | undefined) ?? 'null';
  return escapedJson(text);
}

/** Returns JSON text with unsafe characters in its strings as `\uXXXX`. Line feeds between tokens stay. */
export function escapedJson(json: string): string {
  const asUnits = (character: string): string =>
    [...Array(character.length).keys()]
      .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`)
      .join('');
  return json.replace(unsafe, (c) => (c === '\n' ? c : asUnits(c))).replace(invisible, asUnits);
}
