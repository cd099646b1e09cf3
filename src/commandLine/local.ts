/** Local mode: `sudo containarium <verb …>` runs the verbs of the catalogue over core's socket. */
import { open as openFile, readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { renderFailure } from '../catalogue/render.ts';
import { wantedFormat } from '../catalogue/parse.ts';
import { check, misfitText } from '../domain/check.ts';
import { Failure } from '../domain/failure.ts';
import { quoted } from '../domain/text.ts';
import { runCommand, type CommandIo } from './run.ts';
import type { HandedOverTerminal } from '../domain/terminal.ts';
import { coreClient, type CoreClient } from '../protocol/client.ts';
import { connectOver, fromResponseError } from '../protocol/connection.ts';
import { loginClient, type LoginClient } from '../protocol/loginClient.ts';
import { greeting, messages } from '../protocol/messages.ts';
import { invokingUser } from '../settings/environment.ts';
import { findHome } from '../settings/home.ts';

/** Runs one command line against the server on this host. Resolves with the exit code. */
export async function runLocally(words: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const home = findHome(env, { isRoot: process.getuid?.() === 0, realHost: false });
  const name = invokingUser(env) ?? 'root';
  let socket: Socket | undefined;
  try {
    socket = await open(home.socket);
    const { core, logins } = await client(socket);
    const actor = await logins.local(name.slice(0, 64));
    return await runCommand({
      words,
      actor,
      core,
      io: terminalIo(),
      signal: new AbortController().signal,
      prefix: 'containarium',
      isFirst: true,
    });
  } catch (error) {
    // Without a greeting from core the kind of host is unknown, but `HostTag` requires one; `why` says so.
    const rendered = renderFailure(Failure.from(error), words[0] ?? '', wantedFormat(words), {
      kind: 'incus',
      simulated: false,
      why: 'the server was not reached',
    });
    process.stdout.write(rendered.stdout);
    process.stderr.write(rendered.stderr);
    return rendered.exitCode;
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

async function client(socket: Socket): Promise<{ core: CoreClient; logins: LoginClient }> {
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
  return { core: coreClient(connection, checked.value), logins: loginClient(connection) };
}

function terminalIo(): CommandIo {
  const terminal = process.stdin.isTTY && process.stdout.isTTY;
  return {
    terminal,
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    async readStdin(maxBytes) {
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > maxBytes)
          throw new Failure('input-too-large', { what: 'standard input', why: `it is longer than ${maxBytes} bytes` });
        chunks.push(chunk);
      }
      return Buffer.concat(chunks).toString('utf8');
    },
    async ask(question) {
      const lines = createInterface({ input: process.stdin, output: process.stderr });
      try {
        return await new Promise<string>((resolve, reject) => {
          lines.once('close', () =>
            reject(
              new Failure('cancelled', {
                what: 'confirmation',
                why: 'the question was not answered; nothing was changed',
              }),
            ),
          );
          lines.once('SIGINT', () => lines.close());
          void lines.question(question).then(resolve, reject);
        });
      } finally {
        lines.close();
      }
    },
    ...(process.stdin.isTTY && process.stdout.isTTY ? { handOver: handOverTerminal } : {}),
    files: {
      async read(path) {
        try {
          return await readFile(atHome(path), 'utf8');
        } catch (error) {
          throw new Failure(
            'missing-key',
            {
              what: `file ${quoted(path)}`,
              why: codeOf(error) === 'ENOENT' ? 'it does not exist' : 'it cannot be read',
            },
            error,
          );
        }
      },
      async write(path, text) {
        try {
          const file = await openFile(atHome(path), 'w', 0o600);
          try {
            // An existing file would keep its mode. The mode of a pipe or a device stays as it is.
            if ((await file.stat()).isFile()) await file.chmod(0o600);
            await file.writeFile(text);
          } finally {
            await file.close();
          }
        } catch (error) {
          throw new Failure(
            'usage',
            {
              what: `file ${quoted(path)}`,
              why: `it cannot be written (${codeOf(error)})`,
              next: 'choose a path that you may write to',
            },
            error,
          );
        }
      },
    },
  };
}

/** Returns this process's terminal, in raw mode while a program in a container is attached. */
function handOverTerminal(): HandedOverTerminal {
  const { stdin, stdout } = process;
  let detach = (): void => undefined;
  return {
    get columns() {
      return stdout.columns;
    },
    get rows() {
      return stdout.rows;
    },
    type: process.env['TERM'] ?? 'dumb',
    output: (data) => new Promise((resolve) => stdout.write(data, () => resolve())),
    hold: (held) => {
      if (held) stdin.pause();
      else stdin.resume();
    },
    attach(receiver) {
      const input = (data: Buffer): void => receiver.input(data);
      const resize = (): void => receiver.resize(stdout.columns, stdout.rows);
      stdin.setRawMode(true);
      stdin.on('data', input);
      stdout.on('resize', resize);
      detach = () => {
        stdin.off('data', input);
        stdout.off('resize', resize);
        stdin.setRawMode(false);
        stdin.pause();
        detach = () => undefined;
      };
    },
    giveBack: () => detach(),
  };
}

/** Expands a leading `~/`. The user's own shell does so only at the start of a word, and not in `--output=~/file`. */
function atHome(path: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : path;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
