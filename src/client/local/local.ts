/** Local mode: `sudo containarium <verb …>` has the server on this host run the command line, over core's socket. */
import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { terminalIo } from '../../commandLine/terminalIo.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import { invokingUser } from '../../settings/environment.ts';
import { findHome } from '../../settings/home.ts';
import { runThere } from '../commandLine.ts';
import { LocalCall } from './localCall.ts';
import type { VerifyJournal } from './unanswered.ts';

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
  try {
    const opened = (socket = await open(home.socket));
    const call = (gaveUp: AbortSignal): LocalCall =>
      new LocalCall(opened, gaveUp, { name, takesBytes: !process.stdout.isTTY });
    return await runThere(call, { words, prefix: 'containarium', io: terminalIo() });
  } catch (error) {
    const isStopped = socket === undefined && isFailure(error, 'core-unavailable');
    const { failUnanswered } = await import('./unanswered.ts');
    return await failUnanswered(error, words, isStopped && existsSync(home.journal) ? home : undefined, verifyJournal);
  } finally {
    socket?.destroy();
    // A question that was interrupted still waits for it.
    process.stdin.destroy();
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
