/** Splits an argument array into flags and the rest, as the GNU and the Go programs do. */

export interface Parsed {
  readonly rest: readonly string[];
  /** Values by flag name without dashes; flags without a value map to an empty string. The last one wins. */
  readonly flags: ReadonlyMap<string, string>;
  /** Set when something could not be understood: what it was. */
  readonly unknown: string | undefined;
}

/** `spec` says of each flag whether it takes a value. `--` ends the flags and is dropped. */
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
