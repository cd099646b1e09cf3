/**
 * The keys that a shell knows, whichever terminal sends them: xterm, rxvt, the Linux console, PuTTY, iTerm2, a keypad
 * in application mode (DECKPAM), the kitty keyboard protocol. A known key gets the form that Ink names. Any other
 * sequence, such as a report of the mouse, becomes nothing.
 */

/** A complete control sequence of the input. */
export interface Sequence {
  readonly introducer: 'CSI' | 'SS3';
  /** Parameters and intermediates: all between introducer and final character. */
  readonly parameters: string;
  readonly final: string;
  /** Whether an escape character came before it, as rxvt and Terminal.app send Alt. */
  readonly alt: boolean;
}

/** The Escape key. A lone escape character could begin another sequence. */
export const escapeKey = '\x1b[27u';

interface Modifiers {
  readonly shift: boolean;
  readonly alt: boolean;
  readonly ctrl: boolean;
}

const none: Modifiers = { shift: false, alt: false, ctrl: false };

/** Cursor keys by their final character, as xterm sends them. */
const cursorKeys = new Set(['A', 'B', 'C', 'D', 'F', 'H']);
/** Editing keys by their number. rxvt and the Linux console number Home and End too. */
const numberedKeys: ReadonlyMap<string, string> = new Map([
  ['1', 'H'],
  ['3', '3~'],
  ['4', 'F'],
  ['5', '5~'],
  ['6', '6~'],
  ['7', 'H'],
  ['8', 'F'],
]);

/** The keypad in application mode, from `j` to `y` (XTerm's ctlseqs, "VT220-Style Function Keys"). */
const keypad = '*+,-./0123456789';

/** The first keypad key of the kitty keyboard protocol, and the keys from there on: text, or a key of xterm. */
const kittyKeypadBegins = 57399;
const kittyKeypad: readonly string[] = [
  ...'0123456789./*-+',
  '\r',
  ...'=,',
  ...['D', 'C', 'A', 'B', '5~', '6~', 'H', 'F', '', '3~'],
];

/** Returns the sequence in the form that Ink names, or the text of a keypad key; the empty string if it is unknown. */
export function knownKey(sequence: Sequence): string {
  return sequence.introducer === 'SS3' ? keyOfSs3(sequence) : keyOfCsi(sequence);
}

function keyOfSs3({ parameters, final, alt }: Sequence): string {
  const modifiers = withAlt(modifiersOf(parameters.split(';').at(-1)), alt);
  if (cursorKeys.has(final)) return written(final, modifiers);
  if (/^[a-d]$/.test(final)) return written(final.toUpperCase(), { ...modifiers, ctrl: true });
  if (final === 'M') return '\r';
  if (final === 'I') return '\t';
  if (final === ' ') return ' ';
  if (final === 'X') return '=';
  return /^[j-y]$/.test(final) ? (keypad[final.charCodeAt(0) - 'j'.charCodeAt(0)] ?? '') : '';
}

function keyOfCsi({ parameters, final, alt }: Sequence): string {
  // Replies have a private marker or an intermediate character.
  const match = /^(?:(\d+)(?::\d*){0,2})?(?:;(\d*)(?::(\d+))?)?(?:;([\d:]*))?$/.exec(parameters);
  if (match === null) return '';
  const [, number = '', second, event, third] = match;
  // A key that is let go.
  if (event === '3') return '';
  const modifiers = withAlt(modifiersOf(second), alt);
  if (final === 'u') return keyOfCode(Number(number), shiftedOf(parameters), modifiers, third);
  if (final === '~' && number === '27' && third !== undefined)
    return keyOfCode(Number(third), '', modifiers, undefined);
  if (third !== undefined) return '';
  if (final === 'Z') return '\x1b[Z';
  if (cursorKeys.has(final)) return number === '' || number === '1' ? written(final, modifiers) : '';
  if (/^[a-d]$/.test(final) && number === '') return written(final.toUpperCase(), modifiers);
  const key = numberedKeys.get(number);
  if (key === undefined) return '';
  // rxvt has a final character for each of Shift, Ctrl and both.
  if (final === '~' || final === '$') return written(key, modifiers);
  return final === '^' || final === '@' ? written(key, { ...modifiers, ctrl: true }) : '';
}

/** Returns the key of a code point, as the kitty keyboard protocol and xterm's modifyOtherKeys send keys. */
function keyOfCode(code: number, shifted: string, modifiers: Modifiers, text: string | undefined): string {
  const { shift, alt, ctrl } = modifiers;
  const pad = kittyKeypad[code - kittyKeypadBegins];
  if (pad !== undefined) return /^(\d~|[A-H])$/.test(pad) ? written(pad, modifiers) : pad;
  switch (code) {
    case 13:
      return '\r';
    case 9:
      return shift ? '\x1b[Z' : '\t';
    case 27:
      return escapeKey;
    case 8:
    case 127:
      return ctrl ? '\x1b[127;5u' : alt ? '\x1b\x7f' : '\x7f';
    default:
  }
  if (!isPrintable(code)) return '';
  const character = String.fromCodePoint(code);
  if (ctrl) return !alt && /^[a-z]$/i.test(character) ? String.fromCharCode(code & 0x1f) : '';
  const typed =
    text !== undefined && text !== ''
      ? text.split(':').map(Number)
      : shift
        ? [shifted === '' ? (character.toUpperCase().codePointAt(0) ?? code) : Number(shifted)]
        : [code];
  if (!typed.every(isPrintable)) return '';
  return (alt ? '\x1b' : '') + String.fromCodePoint(...(alt ? typed.slice(0, 1) : typed));
}

function shiftedOf(parameters: string): string {
  return /^\d+:(\d+)/.exec(parameters)?.[1] ?? '';
}

/** Reports whether a code point is text: no control character, no surrogate, and none of kitty's function keys. */
function isPrintable(code: number): boolean {
  return (code >= 0x20 && code < 0x7f) || (code >= 0xa0 && code < 0xd800) || (code > 0xf8ff && code <= 0x10ffff);
}

/** Reads xterm's number of the modifiers. iTerm2 and others send Alt as Meta. */
function modifiersOf(number: string | undefined): Modifiers {
  if (number === undefined || !/^\d{1,3}$/.test(number)) return none;
  const bits = Math.max(0, Number(number) - 1);
  return { shift: (bits & 1) !== 0, alt: (bits & (2 | 8 | 32)) !== 0, ctrl: (bits & 4) !== 0 };
}

function withAlt(modifiers: Modifiers, alt: boolean): Modifiers {
  return alt ? { ...modifiers, alt } : modifiers;
}

/** Writes a key of xterm: its final character, or its number and a tilde. No key here differs with Shift. */
function written(key: string, { alt, ctrl }: Modifiers): string {
  const modifiers = 1 + (alt ? 2 : 0) + (ctrl ? 4 : 0);
  if (modifiers === 1) return `\x1b[${key}`;
  return key.endsWith('~') ? `\x1b[${key.slice(0, -1)};${modifiers}~` : `\x1b[1;${modifiers}${key}`;
}
