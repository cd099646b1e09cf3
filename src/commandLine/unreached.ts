import { wantedFormat } from '../catalogue/format.ts';
import { renderFailure } from '../catalogue/render.ts';
import { Failure } from '../domain/failure.ts';

/** Prints the failure of a command line that has not reached a server. Returns its exit code. */
export function failUnreached(error: unknown, words: readonly string[]): number {
  // Without a greeting from core the kind of host is unknown, but `HostTag` requires one; `why` says so.
  const rendered = renderFailure(Failure.from(error), words[0] ?? '', wantedFormat(words), {
    kind: 'incus',
    simulated: false,
    why: 'the server was not reached',
  });
  process.stdout.write(rendered.stdout);
  process.stderr.write(rendered.stderr);
  return rendered.exitCode;
}
