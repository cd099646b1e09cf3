/** Splits arguments into flags and operands, as GNU and Go programs do. */

export interface Parsed {
  readonly rest: readonly string[];
  /** Values by flag name without dashes. A flag without a value maps to an empty string. The last value wins. */
  readonly flags: ReadonlyMap<string, string>;
  /** The first unknown flag, or the first flag without its value. */
  readonly unknown: string | undefined;
}

/** Parses flags by `spec`, which says whether a flag takes a value. `--` ends the flags and is dropped. */
export function parseFlags(args: readonly string[], spec: Readonly<Record<string, 'value' | 'none'>>): Parsed {
  const rest: string[] = [];
  const flags = new Map<string, string>();
  let unknown: string | undefined;
  for (let index = 0; index < args.length; index += 1) {
    const argument = args[index] ?? '';
    if (argument === '--') {
      rest.push(...args.slice(index + 1));
      break;
    }
    if (!argument.startsWith('-') || argument === '-') {
      rest.push(argument);
      continue;
    }
    const [dashed = '', ...inline] = argument.split('=');
    const name = dashed.replace(/^--?/, '');
    const kind = Object.hasOwn(spec, name) ? spec[name] : undefined;
    if (kind === undefined) unknown ??= dashed;
    else if (kind === 'none') flags.set(name, '');
    else if (inline.length > 0) flags.set(name, inline.join('='));
    else if (index + 1 < args.length) {
      index += 1;
      flags.set(name, args[index] ?? '');
    } else unknown ??= dashed;
  }
  return { rest, flags, unknown };
}
