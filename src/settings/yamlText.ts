/** Reads YAML. In a module of its own, because what reads it is loaded only where there is a file. */
import { parse, YAMLParseError } from 'yaml';

/** Returns what a text says. Throws if it is not YAML. */
export function parsedYaml(text: string): unknown {
  return parse(text);
}

/** Returns where in the text the error is, as `: line 3, column 7`; "" if it does not say. */
export function placeOf(error: unknown): string {
  const start = error instanceof YAMLParseError ? error.linePos?.[0] : undefined;
  return start === undefined ? '' : `: line ${start.line}, column ${start.col}`;
}
