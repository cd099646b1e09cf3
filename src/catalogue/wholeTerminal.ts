/** Which command lines take the whole terminal, instead of printing an answer on it. */
import { verbNamed, verbNames, type AnyVerb } from './catalogue.ts';
import { splitLine } from './tokens.ts';

/**
 * Whether the line asks for a verb that hands the terminal to a program, or for the full-screen view of one. Known before
 * the caller is: the answer says nothing of what the caller may do.
 */
export function takesWholeTerminal(line: string): boolean {
  let words: string[];
  try {
    words = splitLine(line);
  } catch {
    return false;
  }
  const verb = verbNames.map(verbNamed).find(({ name, aliases = [] }) => [name, ...aliases].includes(words[0] ?? ''));
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
