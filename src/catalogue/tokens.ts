/**
 * The one quoting rule of command lines, which is that of a POSIX shell without its expansions: lines are split by it,
 * and words are quoted so that splitting returns them.
 *
 * An SSH exec request carries one string (RFC 4254 section 6.5), after the caller's own shell has removed its quotes.
 * No shell runs here: quotes are interpreted, but operators are refused, because `create a; delete b` must not be
 * executed in part.
 */
import { Failure } from '../domain/failure.ts';
import { refusePrivateKey } from '../domain/keys/keyText.ts';
import { quoted } from '../domain/text.ts';

/** Longer than any sensible line; an SSH packet has at most 35,000 bytes. */
export const maxLineLength = 32_768;

export function splitLine(line: string): string[] {
  if (line.length > maxLineLength) {
    throw new Failure('input-too-large', {
      what: 'command line',
      why: `longer than ${maxLineLength} characters`,
      next: 'send long input on standard input',
    });
  }
  if (line.includes('\0')) {
    throw new Failure('shell-syntax', {
      what: 'command line',
      why: 'NUL characters are not allowed',
      next: 'send plain text',
    });
  }
  // First, because the failures below quote the line: `--ssh-key "$(cat id_ed25519)"` sends a private key by mistake.
  refusePrivateKey(line);
  const { words, open, syntax } = scan(line);
  if (open !== undefined) {
    throw new Failure('shell-syntax', {
      what: quoted(line.trim()),
      why: open === '\\' ? 'nothing follows the \\ at its end' : `the quote ${open} is not closed`,
      next:
        open === '\\' ? 'leave it out, or write \\\\' : 'close it, or put the whole word in quotes of the other kind',
    });
  }
  if (syntax !== undefined) {
    throw new Failure('shell-syntax', {
      what: quoted(line.trim()),
      why: `${syntax} is shell syntax, but there is no shell here`,
      next: 'run one command at a time; if the character belongs to a value, quote the value',
    });
  }
  return words.map(({ text }) => text);
}

/**
 * Reports whether a line has an empty word that no quotation marks show: ssh joins its arguments with one blank each,
 * so of `info ''` it sends `info` and a blank.
 */
export function hasEmptyWord(line: string): boolean {
  const words = scan(line).words;
  const gaps = words.map(({ from }, i) => line.slice(words[i - 1]?.to ?? 0, from));
  return gaps.some((gap) => gap.includes('  ')) || line.slice(words.at(-1)?.to ?? 0).includes(' ');
}

/** A word of a line, and where it begins and ends there, with its quotes. */
export interface Word {
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

/** Splits a line that is still being typed: what {@link splitLine} refuses belongs to the word. */
export function wordsSoFar(line: string): readonly Word[] {
  return scan(line).words;
}

/** Returns the word as {@link splitLine} and a POSIX shell read it back. */
export function quoteWord(word: string): string {
  return /^[\w@%+:,./-][\w@%+=:,./-]*$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Returns the line that {@link splitLine} and a POSIX shell split into these words. */
export function joinWords(words: readonly string[]): string {
  return words.map(quoteWord).join(' ');
}

interface Scanned {
  readonly words: readonly Word[];
  /** The quote that is not closed, or the backslash that nothing follows. */
  readonly open: '"' | "'" | '\\' | undefined;
  /** The first shell syntax outside quotes. */
  readonly syntax: string | undefined;
}

const operator = /^(?:\|\|?|&&?|;|<<?|>>?|[()`]|\$[({'"])/;

function scan(line: string): Scanned {
  const words: Word[] = [];
  let text: string | undefined;
  let from = 0;
  let quote: '"' | "'" | undefined;
  let syntax: string | undefined;
  let isBroken = false;
  let at = 0;
  for (; at < line.length; at++) {
    const c = line.charAt(at);
    const next = line.charAt(at + 1);
    if (quote === undefined && /\s/.test(c)) {
      if (text !== undefined) words.push({ text, from, to: at });
      text = undefined;
      isBroken ||= words.length > 0 && /[\r\n]/.test(c);
      continue;
    }
    if (text === undefined) {
      from = at;
      text = '';
      if (isBroken) syntax ??= 'a line break';
      if (c === '#') syntax ??= quoted('#');
    }
    if (c === quote) quote = undefined;
    else if (quote === "'") text += c;
    else if (c === '\\' && (quote === undefined || /["\\$`]/.test(next))) {
      if (/[\r\n]/.test(next)) syntax ??= 'a line break';
      text += next;
      at++;
    } else if (quote === undefined && (c === '"' || c === "'")) quote = c;
    else {
      if (quote === undefined) syntax ??= operatorAt(line, at);
      text += c;
    }
  }
  if (text !== undefined) words.push({ text, from, to: line.length });
  // The last backslash took the character after the end.
  return { words, open: at > line.length ? '\\' : quote, syntax };
}

function operatorAt(line: string, at: number): string | undefined {
  const [found] = operator.exec(line.slice(at, at + 2)) ?? [];
  return found === undefined ? undefined : quoted(found);
}
