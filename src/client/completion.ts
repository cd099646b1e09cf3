/** Completes what is the client's own: its options, and its servers. */
import { insecureOption, knownServers, ownOptions, ownValueOptions } from './servers.ts';

export interface OwnCandidates {
  readonly values: readonly string[];
  /** Whether the server has none beside them. */
  readonly only: boolean;
}

/** Returns candidates for the last of the words, which is being typed. */
export async function ownCandidates(typed: readonly string[], env: NodeJS.ProcessEnv): Promise<OwnCandidates> {
  const words = withoutOwn(typed);
  const last = words.at(-1) ?? '';
  const previous = words.at(-2) ?? '';
  const [option, ...rest] = last.split('=');
  const names = async (typed: string): Promise<string[]> =>
    ['all', ...(await knownServers(env))].filter((name) => name.startsWith(typed));
  if (previous === '--on') return { values: await names(last), only: true };
  if (option === '--on' && rest.length > 0)
    return { values: (await names(rest.join('='))).map((name) => `--on=${name}`), only: true };
  // Paths and addresses: the shell's own completion.
  if (ownValueOptions.includes(previous)) return { values: [], only: true };
  return { values: last.startsWith('-') ? ownOptions.filter((each) => each.startsWith(last)) : [], only: false };
}

/** Returns the words without the client's options that have their values already. */
function withoutOwn(typed: readonly string[]): string[] {
  const words: string[] = [];
  for (let at = 0; at < typed.length; at++) {
    const word = typed[at] ?? '';
    const isLast = at === typed.length - 1;
    if (ownValueOptions.includes(word) && at + 2 < typed.length) at += 1;
    else if (word === insecureOption && !isLast) continue;
    else words.push(word);
  }
  return words;
}
