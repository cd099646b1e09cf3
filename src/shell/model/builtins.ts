/** Words that only a shell understands: they are about the shell, not about the host. */
import type { Candidate } from '../../domain/events/candidate.ts';

export const builtins = [
  { value: 'clear', says: 'clear the screen (Ctrl-L)' },
  { value: 'copy', says: 'put the last configuration or key on your clipboard' },
  { value: 'qr', says: 'show the last configuration as a QR code' },
  { value: 'plain', says: 'screen-reader mode: plain on, plain off' },
  { value: 'exit', says: 'leave (Ctrl-D)' },
] as const satisfies readonly Candidate[];

export type Builtin = (typeof builtins)[number]['value'];

const others: Readonly<Record<string, Builtin>> = { quit: 'exit', logout: 'exit', cls: 'clear' };

/** The builtin that a line names, with the words behind it. */
export function builtinOf(line: string): { readonly name: Builtin; readonly words: readonly string[] } | undefined {
  const [first = '', ...words] = line.trim().split(/\s+/);
  const name = others[first] ?? builtins.find(({ value }) => value === first)?.value;
  return name === undefined ? undefined : { name, words };
}
