/** The command that a caller has typed, for messages that name it. */
import type { Invocation } from '../catalogue/commanderProgram.ts';
import { quoteWord } from '../catalogue/tokens.ts';

/** Returns the command line for the caller to type again: as it was, or without words that a shell would change. */
export function typedAgain(words: readonly string[], { verb, input }: Invocation): string {
  const isPlain = (word: string): boolean => quoteWord(word) === word;
  if (words.every(isPlain) && !words.some((word) => word.startsWith('--ssh-key'))) return words.join(' ');
  const given = verb.parameters.flatMap((p) => {
    if (p.kind !== 'argument') return [];
    const value = input[p.name];
    return [typeof value === 'string' && isPlain(value) ? value : `<${p.name}>`];
  });
  return [verb.name, ...given].join(' ');
}
