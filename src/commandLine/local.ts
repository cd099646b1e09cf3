/** Local mode: `sudo containarium <verb …>` runs the verbs of the catalogue over core's socket. */
import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { verbHelp } from '../catalogue/help.ts';
import { commandName, parseCommandLine } from '../catalogue/parse.ts';
import { loadFormat } from '../catalogue/loadFormat.ts';
import { renderAnswer, renderBlocks } from '../catalogue/render.ts';
import { check, misfitText } from '../domain/check.ts';
import { exitCodes, Failure, isFailure } from '../domain/failure.ts';
import type { AuditVerification } from '../domain/results/audit.ts';
import { Interrupts } from './interrupts.ts';
import { runCommand } from './run.ts';
import { terminalIo } from './terminalIo.ts';
import { failUnreached } from './unreached.ts';
import { coreClient, type CoreClient } from '../protocol/client.ts';
import { connectOver, fromResponseError } from '../protocol/connection.ts';
import { loginClient, type LoginClient } from '../protocol/loginClient.ts';
import { candidatesClient, type CandidatesClient } from '../protocol/shellClient.ts';
import { greeting, messages } from '../protocol/messages.ts';
import { invokingUser } from '../settings/environment.ts';
import { findHome, type Home } from '../settings/home.ts';

/** How long a completion may take, in milliseconds. */
const completionMs = 5000;

/** Checks the journal in a folder, for a server that does not run. Resolves with the result of `audit verify`. */
export type VerifyJournal = (home: Home, withArchive: boolean) => Promise<AuditVerification>;

/**
 * Runs one command line against the server on this host. Resolves with the exit code. Without a server, `audit verify`
 * reads the files of the journal itself: a server refuses to start if they are damaged.
 */
export async function runLocally(
  words: readonly string[],
  env: NodeJS.ProcessEnv,
  verifyJournal: VerifyJournal,
): Promise<number> {
  const home = findHome(env, { isRoot: process.getuid?.() === 0, realHost: false });
  const name = invokingUser(env) ?? 'root';
  let socket: Socket | undefined;
  const interrupts = new Interrupts();
  // Ends the reading of standard input too, which nothing else would.
  interrupts.first.addEventListener('abort', () => process.stdin.destroy(), { once: true });
  process.on('SIGINT', () => interrupts.press());
  try {
    socket = await open(home.socket);
    const { core, logins, candidates } = await client(socket);
    const actor = await logins.local(name.slice(0, 64));
    return await runCommand({
      words,
      actor,
      core,
      io: terminalIo(),
      signal: new AbortController().signal,
      interrupts,
      prefix: 'containarium',
      isFirst: true,
      candidates: (what, user) => candidates.candidates(actor, what, user, AbortSignal.timeout(completionMs)),
    });
  } catch (error) {
    const isStopped = socket === undefined && isFailure(error, 'core-unavailable');
    if (isStopped && commandName(words) === 'audit verify' && existsSync(home.journal))
      return await verifyStopped(words, home, verifyJournal).catch((failure: unknown) => failUnreached(failure, words));
    return await failUnreached(error, words);
  } finally {
    socket?.destroy();
  }
}

/** Answers `audit verify` without a server. */
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

function open(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(socket));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const denied = error.code === 'EACCES';
      reject(
        new Failure(
          denied ? 'denied' : 'core-unavailable',
          {
            what: `the server at ${path}`,
            why: denied ? 'only root may connect to its socket' : 'it is not running',
            next: denied
              ? 'sudo containarium …'
              : 'start it with "npm start" or "systemctl start containarium", or set CONTAINARIUM_HOME to the home of another server',
          },
          error,
        ),
      );
    });
  });
}

async function client(
  socket: Socket,
): Promise<{ core: CoreClient; logins: LoginClient; candidates: CandidatesClient }> {
  const connection = connectOver(socket);
  // Rejects pending requests. Without it a call would neither end nor fail when the server dies.
  socket.once('close', () => connection.dispose());
  connection.listen();
  const greeted: unknown = await connection.sendRequest(messages.greet).catch((error: unknown) => {
    throw fromResponseError(error);
  });
  const checked = check(greeting, greeted);
  if (checked.misfit !== undefined)
    throw new Failure('core-unavailable', {
      what: 'the server',
      why: `it does not answer as this version of containarium expects: ${misfitText(checked.misfit, 'its greeting')}`,
      next: 'restart the server, so that it runs this version too',
    });
  return {
    core: coreClient(connection, checked.value),
    logins: loginClient(connection),
    candidates: candidatesClient(connection),
  };
}
