/**
 * Splits the text of an SSH exec request into words.
 *
 * The SSH protocol carries one string (RFC 4254 6.5), already stripped of the quotes of the caller's own shell. There
 * is no shell here: quotes are understood, but operators are refused rather than passed on or dropped, because whoever
 * types `create a; delete b` must not be half understood.
 */
import { parse } from 'shell-quote';
import { Failure } from '../domain/failure.ts';
import { refusePrivateKey } from '../domain/keys/keyText.ts';
import { quoted } from '../domain/text.ts';

/** Longer than any sensible line; an SSH packet ends at 35,000 bytes anyway. */
export const maxLineLength = 32_768;

export function splitLine(line: string): string[] {
  if (line.length > maxLineLength) {
    throw new Failure('input-too-large', {
      what: 'the command line',
      why: `it is longer than ${maxLineLength} characters`,
      next: 'send long input on standard input',
    });
  }
  if (line.includes('\0')) {
    throw new Failure('shell-syntax', {
      what: 'the command line',
      why: 'it contains a NUL character',
      next: 'send text',
    });
  }
  // Before anything that quotes the line: `--ssh-key "$(cat id_ed25519)"` sends the wrong file, and none of it may be
  // shown.
  refusePrivateKey(line);
  const text = line.trim();
  const { operator, open } = scan(text);
  if (open !== undefined) {
    throw new Failure('shell-syntax', {
      what: quoted(text),
      why: `a quote (${open}) is not closed`,
      next: 'close it, or put the whole word in quotes of the other kind',
    });
  }
  if (operator !== undefined) throw shellSyntax(text, operator);
  // Given an environment function that returns the reference itself, `$NAME` stays text instead of becoming empty.
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
    why: `${shown} is shell syntax, and there is no shell here`,
    next: 'run one command at a time; quote the value if the character belongs to it',
  });
}

/** What shell-quote lets pass outside quotes: line breaks count as blanks there, and substitutions as text. */
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
