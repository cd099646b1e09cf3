/**
 * Text from outside, made safe to show.
 *
 * Whatever a client, a key comment, a container, Incus or a log sent may hold terminal control sequences, bidirectional
 * overrides or zero-width characters. Nothing of that kind may reach a terminal, a table, a file name or a log line as
 * it is.
 */

/**
 * Control characters (C0, DEL, C1), line and paragraph separators, everything of Unicode's format category
 * (bidirectional marks and overrides, zero-width characters, tags, soft hyphen, byte order mark), unpaired surrogates,
 * private use.
 */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{DI}]/gu;

/** Variation selectors are not format characters to Unicode, but widths computed from them differ between terminals. */
const invisible = /[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\u{e0100}-\u{e01ef}]/gu;

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** `text` on one line with every unsafe character written out: as `\u{…}`, or as `escape` writes it. */
export function printable(text: string, escape: (character: string) => string = escaped): string {
  return text.replace(unsafe, escape).replace(invisible, escape);
}

/** Like {@link printable}, but line feeds stay (and tabs become spaces): for output that may span lines. */
export function printableLines(text: string): string {
  return text
    .replace(/\r\n/g, '\n')
    .split('\n')
    .map((line) => printable(line.replaceAll('\t', '  ')))
    .join('\n');
}

/** Printable, and cut to `limit` characters with an ellipsis: for messages that quote what somebody sent. */
export function quoted(text: string, limit = 60): string {
  const characters = [...text];
  const kept = characters.length > limit ? `${characters.slice(0, limit - 1).join('')}…` : text;
  return `"${printable(kept)}"`;
}

/** JSON whose text is safe on a terminal: unsafe characters inside strings appear as `\uXXXX`. */
export function safeJson(value: unknown, indent?: number): string {
  // Of undefined and functions JSON.stringify makes undefined, which its type does not say.
  const text = (JSON.stringify(value, undefined, indent) as string | undefined) ?? 'null';
  return escapedJson(text);
}

/** JSON text with the unsafe characters inside its strings as `\uXXXX`; line feeds between its tokens stay. */
export function escapedJson(json: string): string {
  const asUnits = (character: string): string =>
    [...Array(character.length).keys()]
      .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`)
      .join('');
  return json.replace(unsafe, (c) => (c === '\n' ? c : asUnits(c))).replace(invisible, asUnits);
}
