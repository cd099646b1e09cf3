/** The caller's end of a command line on this machine: standard streams, terminal and files. */
import { access, mkdir, open as openFile, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { Failure } from '../domain/failure.ts';
import { quoted } from '../domain/text.ts';
import type { HandedOverTerminal } from '../domain/terminal.ts';
import type { CommandIo } from './run.ts';

/** Returns the standard streams, the terminal and the files of this process. */
export function terminalIo(): CommandIo {
  const terminal = process.stdin.isTTY && process.stdout.isTTY;
  return {
    terminal,
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    async readStdin(maxBytes) {
      const chunks: Buffer[] = [];
      let bytes = 0;
      try {
        for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
          bytes += chunk.length;
          if (bytes > maxBytes) throw tooLarge(maxBytes);
          chunks.push(chunk);
        }
      } catch (error) {
        if (error instanceof Failure) throw error;
        throw new Failure(
          'cancelled',
          { what: 'standard input', why: 'it was interrupted; nothing was changed' },
          error,
        );
      }
      return Buffer.concat(chunks).toString('utf8');
    },
    async ask(question) {
      // Loaded only now: most commands ask nothing.
      const { createInterface } = await import('node:readline/promises');
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
          lines.once('SIGINT', () => {
            process.stderr.write('\n');
            lines.close();
          });
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
      async makeFolder(path) {
        try {
          await makeFolders(atHome(path), 0o700);
        } catch (error) {
          throw new Failure(
            'usage',
            {
              what: `folder ${quoted(path)}`,
              why: `it cannot be made (${codeOf(error)})`,
              next: 'choose a path that you may write to',
            },
            error,
          );
        }
      },
      async write(path, text, { isNew } = { isNew: false }) {
        try {
          await makeFolders(dirname(atHome(path)), 0o755);
          const file = await openFile(atHome(path), isNew ? 'wx' : 'w', 0o600);
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
              ...(isNew && codeOf(error) === 'EEXIST'
                ? { why: 'it already exists', next: 'choose another folder, or move the file away' }
                : { why: `it cannot be written (${codeOf(error)})`, next: 'choose a path that you may write to' }),
            },
            error,
          );
        }
      },
    },
  };
}

function tooLarge(maxBytes: number): Failure {
  return new Failure('input-too-large', { what: 'standard input', why: `it is longer than ${maxBytes} bytes` });
}

/** Writes to standard output. Resolves when it is taken. Rejects if its reader is gone. */
export function writeBytes(data: Buffer): Promise<void> {
  return new Promise((resolve, reject) =>
    process.stdout.write(data, (error) => {
      if (error === undefined || error === null) resolve();
      else
        reject(new Failure('cancelled', { what: 'standard output', why: `it cannot be written (${codeOf(error)})` }));
    }),
  );
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

/** Makes a folder and its missing parents. `mkdir` with `recursive` never ends in /proc (Node.js 24.21). */
async function makeFolders(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && (await stat(path)).isDirectory()) return;
    const parent = dirname(path);
    if (codeOf(error) !== 'ENOENT' || parent === path || (await isThere(parent))) throw error;
    await makeFolders(parent, mode);
    await mkdir(path, { mode });
  }
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Expands a leading `~/`. The user's own shell does so only at the start of a word, and not in `--output=~/file`. */
function atHome(path: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : path;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
