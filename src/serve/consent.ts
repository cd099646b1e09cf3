/** Asks the person who starts the server, if there is one. */
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';

export interface ConsentOptions {
  /** Whether the command line has already accepted the offer. */
  readonly accepted: boolean;
  /** How to accept the offer on the command line. */
  readonly how: string;
  readonly say: (line: string) => void;
  readonly input?: NodeJS.ReadStream;
  readonly output?: NodeJS.WriteStream;
}

/**
 * Resolves to whether a question is answered with yes. Without a terminal nobody can answer, so the question is only
 * said, with the option that accepts it.
 */
export async function consents(
  question: string,
  { accepted, how, say, input = process.stdin, output = process.stdout }: ConsentOptions,
): Promise<boolean> {
  if (accepted) return true;
  if (!input.isTTY || !output.isTTY) {
    say(`${question} To accept: ${how}`);
    return false;
  }
  const terminal = createInterface({ input, output });
  try {
    // Ctrl-C and Ctrl-D close it without an answer.
    const closed = once(terminal, 'close').then(() => '');
    return /^\s*y(es)?\s*$/i.test(await Promise.race([terminal.question(`${question} [y/N] `), closed]));
  } finally {
    terminal.close();
  }
}
