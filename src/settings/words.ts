/** Parses the words of a command of the host's own command line (`daemon`, `install`, …). */
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { Failure } from '../domain/failure.ts';
import { quoted } from '../domain/text.ts';

/** Throws `usage` if a word is no option of the command, or an option lacks its value. `usage` is the next step. */
export function parseWords<T extends ParseArgsOptionsConfig>(
  command: string,
  usage: string,
  words: readonly string[],
  options: T,
) {
  try {
    return parseArgs({ args: [...words], allowPositionals: true, options });
  } catch (error) {
    // The texts of parseArgs are not ours.
    const [, option] = /'(-[^' ]+)/.exec(error instanceof Error ? error.message : '') ?? [];
    throw misused(
      command,
      usage,
      option === undefined ? 'its options are not valid' : `option ${quoted(option)} is not valid here`,
    );
  }
}

export function misused(command: string, usage: string, why: string): Failure {
  return new Failure('usage', { what: quoted(command), why, next: usage });
}
