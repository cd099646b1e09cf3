/** Detection of command lines that need the whole terminal. */
import { verbOf } from './catalogue.ts';
import { parseCommandLine } from './parse.ts';
import { splitLine } from './tokens.ts';

/**
 * Reports whether the line names a verb that hands the terminal to a program, or the full-screen view of a verb. It
 * does not check permissions, so it works before the caller is known.
 */
export function takesWholeTerminal(line: string): boolean {
  return handsOverTerminal(line) || opensView(line);
}

/** Reports whether the line names a verb that hands the terminal to a program. */
export function handsOverTerminal(line: string): boolean {
  try {
    const words = splitLine(line);
    return verbOf(words)?.handsOverTerminal === true && !words.includes('--help');
  } catch {
    return false;
  }
}

function opensView(line: string): boolean {
  try {
    const { verb, input, help } = parseCommandLine(splitLine(line), { entryPoint: 'manage', role: 'admin' });
    return !help && verb.viewSwitch !== undefined && input[verb.viewSwitch] === true;
  } catch {
    return false;
  }
}
