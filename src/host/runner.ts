/**
 * The only place that starts host programs, and the only mock boundary: the simulated host also implements
 * {@link Runner}.
 */
import type { Readable } from 'node:stream';
import { execa, ExecaError, type Result } from 'execa';
import { Failure, isFailure } from '../domain/failure.ts';
import { systemPath } from '../domain/systemPath.ts';
import { printableLines } from '../domain/text.ts';
import { durationInWords } from '../domain/values/duration.ts';

/** The host programs that a running server may start. */
export type Program =
  | 'incus'
  | 'zfs'
  | 'zpool'
  | 'useradd'
  | 'userdel'
  | 'groupadd'
  | 'pkill'
  | 'getent'
  | 'ssh-keyscan'
  | 'ip'
  | 'nft'
  | 'sshd'
  | 'systemctl'
  | 'systemd-run'
  | 'systemd-notify'
  | 'apt-cache'
  | 'dpkg'
  | 'dpkg-query'
  | 'btrfs'
  | 'journalctl'
  | 'sendmail'
  | 'logger';

export interface Command {
  readonly program: Program;
  /** Arguments, one element each. No shell is involved. */
  readonly args: readonly string[];
  /** Standard input; empty if undefined. Secrets go here and never in `args`. */
  readonly input?: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Exit codes that are no failure (`getent` exits 2 for "no such entry"). Default: only 0. */
  readonly allowExit?: readonly number[];
  /** Maximum output; more ends the program. Default: 16 MiB. */
  readonly maxOutputBytes?: number;
}

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/**
 * Runs one program to its end.
 *
 * Rejects with a {@link Failure}: `program-failed` (exit code not allowed; details carry `exitCode` and the end of
 * `stderr`), `program-missing`, `timeout`, `cancelled`, or `unexpected-output` (too much output, {@link isTooMuch}).
 */
export interface Runner {
  run(command: Command): Promise<Output>;
}

/** Maximum output of a program that names none, in bytes. */
const defaultMaxOutputBytes = 16 * 1024 * 1024;

/** Maximum length of a program's stderr in a failure, in characters. */
const maxStderrLength = 2000;

/** Time between SIGTERM and SIGKILL, in milliseconds. */
export const killDelayMs = 2000;

/** Checks an exit code. The real and the simulated runner share this, so that they fail alike. */
export function checked(command: Command, output: Output): Output {
  if ((command.allowExit ?? [0]).includes(output.exitCode)) return output;
  const stderr = printableLines(output.stderr.trim()).slice(-maxStderrLength);
  const lines = stderr.split('\n');
  // incus may print a hint after its error; useradd and the like print one line.
  const lastLine = lines.find((line) => line.startsWith('Error: ')) ?? lines.at(-1) ?? '';
  throw new Failure('program-failed', {
    what: `"${command.program} ${command.args[0] ?? ''}"`,
    why: lastLine === '' ? `it exited with status ${output.exitCode}` : lastLine.replace(/^Error: /, ''),
    details: { program: command.program, args: [...command.args], exitCode: output.exitCode, stderr },
  });
}

export function timedOut(command: Command): Failure {
  return new Failure('timeout', {
    what: `"${command.program} ${command.args[0] ?? ''}"`,
    why: `it did not end within ${durationInWords(command.timeoutMs)} and was stopped`,
    details: { program: command.program, args: [...command.args], timeoutMs: command.timeoutMs },
  });
}

/** Returns the failure of something that says more than it may. */
export function tooMuch(what: string, why: string, maxOutputBytes: number): Failure {
  return new Failure('unexpected-output', { what, why, details: { maxOutputBytes } });
}

function printedTooMuch(command: Command, maxOutputBytes: number): Failure {
  const what = `"${command.program} ${command.args[0] ?? ''}"`;
  return tooMuch(what, `it printed more than ${maxOutputBytes} bytes`, maxOutputBytes);
}

/** Reports whether a program printed, or Incus answered, more than it may. */
export function isTooMuch(error: unknown): boolean {
  return isFailure(error, 'unexpected-output') && error.details?.['maxOutputBytes'] !== undefined;
}

/** Reports whether a program failed with a message on stderr that matches. */
export function failedWith(error: unknown, message: RegExp): boolean {
  return isFailure(error, 'program-failed') && message.test(String(error.details?.['stderr']));
}

/** Collects a stream up to a limit, and returns a function for its text. */
function collect(stream: Readable, maxBytes: number, tooMuch: () => void): () => string {
  let chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxBytes) {
      chunks.push(chunk);
      return;
    }
    chunks = [];
    tooMuch();
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

export function cancelledRun(command: Command): Failure {
  return new Failure('cancelled', {
    what: `"${command.program} ${command.args[0] ?? ''}"`,
    why: 'it was cancelled',
    details: { program: command.program, args: [...command.args] },
  });
}

/** How execa says that a program ended. */
export type Ended = Pick<Result, 'exitCode' | 'signal' | 'timedOut' | 'isCanceled' | 'code' | 'originalMessage'>;

/** Returns the exit code of a program. Throws if it has none. */
export function exitCodeOf(command: Command, ended: Ended): number {
  if (ended.timedOut) throw timedOut(command);
  if (ended.isCanceled) throw cancelledRun(command);
  if (ended.exitCode !== undefined) return ended.exitCode;
  if (ended.code === 'ENOENT') {
    throw new Failure('program-missing', {
      what: `"${command.program}"`,
      why: 'this program is not installed on the host',
      next: 'see "doctor"',
    });
  }
  throw new Failure('program-failed', {
    what: `"${command.program} ${command.args[0] ?? ''}"`,
    why:
      ended.signal === undefined
        ? (ended.originalMessage ?? 'it could not be started')
        : `it was killed by ${ended.signal}`,
    details: { program: command.program, args: [...command.args] },
  });
}

export interface ProgramRunnerOptions {
  /** Additional environment of every program, for example `INCUS_DIR`. A `PATH` replaces that of the system. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Returns what each program has in its environment besides that of this process. */
export function programEnv({ env }: ProgramRunnerOptions): Readonly<Record<string, string>> {
  // A fixed locale, because `Accounts` matches the messages of useradd.
  return { PATH: systemPath, ...env, LC_ALL: 'C', LANGUAGE: 'C' };
}

/** Runs the real programs of this machine. */
export class ProgramRunner implements Runner {
  readonly #env: Readonly<Record<string, string>>;

  constructor(options: ProgramRunnerOptions = {}) {
    this.#env = programEnv(options);
  }

  async run(command: Command): Promise<Output> {
    if (command.signal?.aborted) throw cancelledRun(command);
    try {
      const maxBytes = command.maxOutputBytes ?? defaultMaxOutputBytes;
      const child = execa(command.program, command.args, {
        input: command.input ?? '',
        env: this.#env,
        timeout: command.timeoutMs,
        forceKillAfterDelay: killDelayMs,
        // execa would escape all output for the message of an error, which stops this process for seconds.
        buffer: false,
        reject: false,
        ...(command.signal === undefined ? {} : { cancelSignal: command.signal }),
      });
      const excess = new AbortController();
      const stop = (): void => {
        excess.abort();
        child.kill('SIGKILL');
      };
      const [stdout, stderr] = [collect(child.stdout, maxBytes, stop), collect(child.stderr, maxBytes, stop)];
      const result = await child;
      if (excess.signal.aborted) throw printedTooMuch(command, maxBytes);
      return checked(command, { stdout: stdout(), stderr: stderr(), exitCode: exitCodeOf(command, result) });
    } catch (error) {
      if (error instanceof ExecaError) throw Failure.from(new Error(error.shortMessage));
      throw error;
    }
  }
}
