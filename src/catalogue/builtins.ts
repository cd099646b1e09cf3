/** Commands of the shell itself, as opposed to verbs, which act on the host. */
import type { Candidate } from '../domain/events/candidate.ts';
import { own } from '../domain/own.ts';

export const builtins = [
  { value: 'clear', says: 'clear the screen (Ctrl-L)' },
  { value: 'copy', says: 'copy the last configuration or key to your clipboard' },
  { value: 'qr', says: 'show the last configuration as a QR code' },
  { value: 'plain', says: 'turn screen-reader mode on or off: plain on, plain off' },
  { value: 'exit', says: 'leave the shell (Ctrl-D)' },
] as const satisfies readonly Candidate[];

export type Builtin = (typeof builtins)[number]['value'];

const aliases: Readonly<Record<string, Builtin>> = { quit: 'exit', logout: 'exit', cls: 'clear' };

export interface CalledBuiltin {
  readonly name: Builtin;
  readonly says: string;
  readonly words: readonly string[];
}

/** Returns the builtin that a line calls, with its arguments. */
export function builtinOf(line: string): CalledBuiltin | undefined {
  const [first = '', ...words] = line.trim().split(/\s+/);
  const name = own(aliases, first) ?? first;
  const found = builtins.find(({ value }) => value === name);
  return found === undefined ? undefined : { name: found.value, says: found.says, words };
}
