/**
 * The splitter of command lines into words.
 *
 * An SSH exec request carries one string (RFC 4254 section 6.5), after the caller's own shell has removed its quotes.
 * No shell runs here: quotes are interpreted, but operators are refused, because `create a; delete b` must not be
 * executed in part.
 */
import { parse } from 'shell-quote';
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
  const text = line.trim();
  const { operator, open } = scan(text);
  if (open !== undefined) {
    throw new Failure('shell-syntax', {
      what: quoted(text),
      why: `the quote ${open} is not closed`,
      next: 'close it, or put the whole word in quotes of the other kind',
    });
  }
  if (operator !== undefined) throw shellSyntax(text, operator);
  // The function makes `$NAME` stay as it is instead of becoming empty.
  const words = parse(text, (name) => `$${name}`);
  return words.map((word): string => {
    if (typeof word === 'string') return word;
    if ('pattern' in word) return word.pattern;
    const shown = 'comment' in word ? `#${word.comment}` : word.op;
    throw shellSyntax(text, quoted(shown, 20));
  });
}

function shellSyntax(line: string, shown: string): Failure {
  return new Failure('shell-syntax', {
    what: quoted(line),
    why: `${shown} is shell syntax, but there is no shell here`,
    next: 'run one command at a time; if the character belongs to a value, quote the value',
  });
}

/** Finds shell syntax that shell-quote misses: outside quotes it reads line breaks as spaces, substitutions as text. */
function scan(line: string): { operator?: string; open?: '"' | "'" } {
  let open: '"' | "'" | undefined;
  for (let i = 0; i < line.length; i++) {
    const c = line[i];
    if (c === '\\' && open !== "'") i++;
    else if (open === undefined && (c === '"' || c === "'")) open = c;
    else if (c === open) open = undefined;
    else if (open !== undefined) continue;
    else if (c === '\n' || c === '\r') return { operator: 'a line break' };
    else if (c === '`') return { operator: quoted('`') };
    else if (c === '$' && /[({]/.test(line[i + 1] ?? '')) return { operator: quoted(line.slice(i, i + 2)) };
  }
  return open === undefined ? {} : { open };
}
