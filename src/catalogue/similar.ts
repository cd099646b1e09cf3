/** Suggestions for misspelt names, by the rule of commander. */
import { Command, CommanderError } from 'commander';
import { joinChoices, quoted } from '../domain/text.ts';

/** Returns the `names`, of one or two words, that are similar to `typed`. */
export function similar(typed: string, names: readonly string[]): string[] {
  const join = (name: string): string => name.replace(' ', '-');
  const probe = new Command()
    .exitOverride()
    .configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
    .helpOption(false)
    .helpCommand(false);
  for (const name of new Set(names.map(join))) probe.command(name);
  try {
    probe.parse([join(typed)], { from: 'user' });
  } catch (error) {
    const [, found = ''] =
      /\(Did you mean (?:one of )?(.*)\?\)$/.exec(error instanceof CommanderError ? error.message : '') ?? [];
    return names.filter((name) => found.split(', ').includes(join(name)));
  }
  return [];
}

/** Returns `did you mean "zoe"?`. */
export function didYouMean(names: readonly string[]): string {
  return `did you mean ${joinChoices(names.map((name) => quoted(name)))}?`;
}
