/** Local mode: `sudo containarium <verb …>` runs the verbs of the catalogue over core's socket. */
import { connect, type Socket } from 'node:net';
import { check, misfitText } from '../domain/check.ts';
import { Failure } from '../domain/failure.ts';
import { runCommand } from './run.ts';
import { terminalIo } from './terminalIo.ts';
import { failUnreached } from './unreached.ts';
import { coreClient, type CoreClient } from '../protocol/client.ts';
import { connectOver, fromResponseError } from '../protocol/connection.ts';
import { loginClient, type LoginClient } from '../protocol/loginClient.ts';
import { candidatesClient, type CandidatesClient } from '../protocol/shellClient.ts';
import { greeting, messages } from '../protocol/messages.ts';
import { invokingUser } from '../settings/environment.ts';
import { findHome } from '../settings/home.ts';

/** How long a completion may take, in milliseconds. */
const completionMs = 5000;

/** Runs one command line against the server on this host. Resolves with the exit code. */
export async function runLocally(words: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const home = findHome(env, { isRoot: process.getuid?.() === 0, realHost: false });
  const name = invokingUser(env) ?? 'root';
  let socket: Socket | undefined;
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
      prefix: 'containarium',
      isFirst: true,
      candidates: (what, user) => candidates.candidates(actor, what, user, AbortSignal.timeout(completionMs)),
    });
  } catch (error) {
    return failUnreached(error, words);
  } finally {
    socket?.destroy();
  }
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
