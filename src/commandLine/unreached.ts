import { wantedFormat } from '../catalogue/format.ts';
import { commandName } from '../catalogue/parse.ts';
import { loadFormat } from '../catalogue/loadFormat.ts';
import { renderFailure } from '../catalogue/render.ts';
import { Failure } from '../domain/failure.ts';

/**
 * Prints the failure of a command line that no server has answered, without the host, of which nothing is known.
 * Resolves to its exit code.
 */
export async function failUnreached(error: unknown, words: readonly string[]): Promise<number> {
  const format = wantedFormat(words);
  await loadFormat(format);
  const rendered = renderFailure(Failure.from(error), commandName(words), format);
  process.stdout.write(rendered.stdout);
  process.stderr.write(rendered.stderr);
  return rendered.exitCode;
}
