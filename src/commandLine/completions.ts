/** Answers the completion scripts of shells (completionScripts.ts): one candidate on each line, with what it says. */
import { verbsFor } from '../catalogue/catalogue.ts';
import { complete, type Ask } from '../catalogue/completion.ts';
import type { Actor } from '../domain/access/actor.ts';
import { printable } from '../domain/text.ts';

/** Returns the candidates for the last word as lines of `value<TAB>summary`. Names are optional: never rejects. */
export async function completions(
  words: readonly string[],
  { entryPoint, role }: Pick<Actor, 'entryPoint' | 'role'>,
  ask: Ask = () => Promise.resolve([]),
): Promise<string> {
  const line = words.join(' ');
  const { candidates } = await complete(line, line.length, {
    verbs: verbsFor(entryPoint, role),
    builtins: [],
    entryPoint,
    ask: (what, user) => ask(what, user).catch(() => []),
  });
  return candidates
    .map(({ value, says }) => `${printable(value)}${says === undefined ? '' : `\t${printable(says)}`}\n`)
    .join('');
}
