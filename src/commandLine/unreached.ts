import { wantedFormat } from '../catalogue/format.ts';
import { commandName } from '../catalogue/parse.ts';
import { renderFailure } from '../catalogue/render.ts';
import { Failure } from '../domain/failure.ts';

/**
 * Prints the failure of a command line that no server has answered, without the host, of which nothing is known.
 * Returns its exit code.
 */
export function failUnreached(error: unknown, words: readonly string[]): number {
  const rendered = renderFailure(Failure.from(error), commandName(words), wantedFormat(words));
  process.stdout.write(rendered.stdout);
  process.stderr.write(rendered.stderr);
  return rendered.exitCode;
}
