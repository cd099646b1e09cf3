/** Detection of command lines that need the whole terminal. */
import { verbOf } from './catalogue.ts';
import { lacksValues } from './declaration/verb.ts';
import { parseCommandLine } from './parse.ts';
import { splitLine } from './tokens.ts';

/**
 * Reports whether the line names a verb that hands the terminal to a program, the full-screen view of a verb, or a verb
 * without the values that its form asks for. It does not check permissions, so it works before the caller is known.
 */
export function takesWholeTerminal(line: string): boolean {
  const words = wordsOf(line);
  return words !== undefined && (handsOver(words) || opensView(words) || opensForm(words));
}

/** Reports whether the line names a verb that hands the terminal to a program. */
export function handsOverTerminal(line: string): boolean {
  const words = wordsOf(line);
  return words !== undefined && handsOver(words);
}

/** Returns the words of a line; undefined if it has none. */
function wordsOf(line: string): string[] | undefined {
  try {
    return splitLine(line);
  } catch {
    return undefined;
  }
}

function handsOver(words: readonly string[]): boolean {
  return verbOf(words)?.handsOverTerminal === true && !words.includes('--help');
}

function opensView(words: readonly string[]): boolean {
  try {
    const { verb, input, help } = parseCommandLine(words, { entryPoint: 'manage', role: 'admin' });
    return !help && verb.viewSwitch !== undefined && input[verb.viewSwitch] === true;
  } catch {
    return false;
  }
}

function opensForm(words: readonly string[]): boolean {
  try {
    const actor = { entryPoint: 'manage', role: 'admin' } as const;
    const { verb, input, help, format } = parseCommandLine(words, actor, { incomplete: true });
    return !help && format === 'table' && verb.isPlan !== true && lacksValues(verb, input, actor.entryPoint);
  } catch {
    return false;
  }
}
