/** The verb `help`, and `--help`, which are answered from the catalogue alone. */
import { verbsFor } from '../catalogue/catalogue.ts';
import { describe, overview, verbForHelp, verbHelp, verbRows } from '../catalogue/help.ts';
import { writer } from '../catalogue/loadFormat.ts';
import type { Invocation } from '../catalogue/commanderProgram.ts';
import { renderBlocks, renderDocument } from '../catalogue/render.ts';
import type { Actor } from '../domain/access/actor.ts';
import type { HostTag } from '../domain/results/about.ts';

interface HelpOptions {
  readonly actor: Actor;
  readonly io: { stdout(text: string): void };
  /** What the caller types before the verb. */
  readonly prefix: string;
}

/** Prints help in the format of the call. Returns its exit code. */
export function showHelp(
  { actor, io, prefix }: HelpOptions,
  { verb, input, format, help }: Invocation,
  host: HostTag,
): number {
  const words = help
    ? [verb.name]
    : [input['verb'], input['subverb']].filter((word): word is string => typeof word === 'string');
  const found = words.length === 0 ? undefined : verbForHelp(words.join(' ').split(' '), actor);
  if (format !== 'table') {
    const verbs = found === undefined ? verbsFor(actor.entryPoint, actor.role) : Array.isArray(found) ? found : [found];
    if (format === 'csv') io.stdout(writer('csv').csvText(verbRows(verbs, actor.entryPoint)));
    else io.stdout(renderDocument({ ok: true, command: 'help', host, result: describe(verbs) }, format));
    return 0;
  }
  if (found === undefined) io.stdout(renderBlocks(overview(actor, prefix)));
  else
    io.stdout(
      (Array.isArray(found) ? found : [found])
        .map((one) => renderBlocks(verbHelp(one, prefix, actor.entryPoint)))
        .join('\n'),
    );
  return 0;
}
