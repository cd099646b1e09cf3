/** A command line that the server on this host has not answered. Loaded only then: it needs the catalogue. */
import { verbHelp } from '../../catalogue/help.ts';
import { loadFormat } from '../../catalogue/loadFormat.ts';
import { commandName, parseCommandLine } from '../../catalogue/parse.ts';
import { renderAnswer, renderBlocks } from '../../catalogue/render.ts';
import { failUnreached } from '../../commandLine/unreached.ts';
import { exitCodes } from '../../domain/failure.ts';
import type { AuditVerification } from '../../domain/results/audit.ts';
import type { Home } from '../../settings/home.ts';

/** Checks the journal in a folder, for a server that does not run. Resolves with the result of `audit verify`. */
export type VerifyJournal = (home: Home, withArchive: boolean) => Promise<AuditVerification>;

/**
 * Prints why there is no answer. `stopped` is the home of a server that does not run and has a journal: this verifies
 * it if the words ask for that. Resolves with the exit code.
 */
export async function failUnanswered(
  error: unknown,
  words: readonly string[],
  stopped: Home | undefined,
  verifyJournal: VerifyJournal,
): Promise<number> {
  if (stopped === undefined || commandName(words) !== 'audit verify') return failUnreached(error, words);
  return verifyStopped(words, stopped, verifyJournal).catch((failure: unknown) => failUnreached(failure, words));
}

async function verifyStopped(words: readonly string[], home: Home, verifyJournal: VerifyJournal): Promise<number> {
  const { verb, input, format, help } = parseCommandLine(words, { entryPoint: 'local', role: 'root' });
  if (help) {
    process.stdout.write(renderBlocks(verbHelp(verb, 'containarium', 'local')));
    return exitCodes.ok;
  }
  await loadFormat(format);
  const result = await verifyJournal(home, input['archive'] === true);
  const terminal = process.stdout.isTTY;
  const { stdout, exitCode } = renderAnswer({ verb, result }, format, undefined, { now: new Date(), terminal });
  process.stderr.write(`The server is not running; this is its journal in ${home.journal}.\n`);
  process.stdout.write(stdout);
  return exitCode;
}
