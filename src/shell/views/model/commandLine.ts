import type { AnyVerb } from '../../../catalogue/catalogue.ts';

/** Returns the command line of a call, as the user would type it. */
export function commandLine(verb: AnyVerb, input: Readonly<Record<string, unknown>>): string {
  const words = [verb.name];
  for (const parameter of verb.parameters) {
    const value = input[parameter.name];
    if (value === undefined || value === false) continue;
    if (parameter.kind === 'argument') words.push(wordOf(value));
    else if (parameter.value === undefined) words.push(`--${parameter.long[0]}`);
    else
      for (const each of Array.isArray(value) ? value : [value]) words.push(`--${parameter.long[0]} ${wordOf(each)}`);
  }
  return words.join(' ');
}

function wordOf(value: unknown): string {
  const text = String(value);
  return /^[\w.,:=@%+/~-]+$/.test(text) ? text : `"${text}"`;
}
