/** Detection of command lines that need the whole terminal. */
import { verbOf, type AnyVerb } from './catalogue.ts';
import { splitLine } from './tokens.ts';

/**
 * Reports whether the line names a verb that hands the terminal to a program, or the full-screen view of a verb. It
 * does not check permissions, so it works before the caller is known.
 */
export function takesWholeTerminal(line: string): boolean {
  let words: string[];
  try {
    words = splitLine(line);
  } catch {
    return false;
  }
  const verb = verbOf(words);
  if (verb === undefined || words.includes('--help')) return false;
  return verb.handsOverTerminal === true || viewSwitches(verb).some((word) => words.includes(word));
}

function viewSwitches({ viewSwitch, parameters }: AnyVerb): string[] {
  return parameters.flatMap((parameter) =>
    parameter.kind === 'option' && parameter.name === viewSwitch
      ? [
          ...parameter.long.map((name) => `--${name}`),
          ...(parameter.short === undefined ? [] : [`-${parameter.short}`]),
        ]
      : [],
  );
}
