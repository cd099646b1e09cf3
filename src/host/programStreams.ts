/**
 * Starts host programs whose output or input is too large to be held: the sibling of {@link Runner}, which is for
 * bounded output. The simulated host also implements it.
 */
import type { ChildProcess } from 'node:child_process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { execa, ExecaError } from 'execa';
import { Failure } from '../domain/failure.ts';
import {
  cancelledRun,
  checked,
  exitCodeOf,
  killDelayMs,
  programEnv,
  type Command,
  type Ended,
  type ProgramRunnerOptions,
} from './runner.ts';

export type StreamCommand = Pick<Command, 'program' | 'args' | 'timeoutMs' | 'signal'>;

export interface ProgramOutput {
  /**
   * Standard output. Its end is an error if the program did not exit with 0, so a cut stream is never taken for a whole
   * one. A reader that leaves ends the program.
   */
  readonly output: Readable;
  /** Returns the end of standard error, complete when the output has ended. */
  readonly stderr: () => string;
}

/** Failures are those of {@link Runner}. */
export interface ProgramStreams {
  /** Starts a program to read its standard output. Its standard input is empty. */
  read(command: StreamCommand): ProgramOutput;
  /**
   * Runs a program to its end with a stream as its standard input. The failure of the stream comes first: a program
   * cannot tell a stream that was cut from one that ended.
   */
  write(command: StreamCommand, source: Readable): Promise<void>;
}

/** How much of the end of standard error is kept, in bytes. */
const maxStderrBytes = 16 * 1024;

/** Starts the real programs of this machine. */
export class RealProgramStreams implements ProgramStreams {
  readonly #env: Readonly<Record<string, string>>;

  constructor(options: ProgramRunnerOptions = {}) {
    this.#env = programEnv(options);
  }

  #options({ timeoutMs, signal }: StreamCommand) {
    return {
      env: this.#env,
      timeout: timeoutMs,
      forceKillAfterDelay: killDelayMs,
      buffer: false,
      reject: false,
      ...(signal === undefined ? {} : { cancelSignal: signal }),
    } as const;
  }

  read(command: StreamCommand): ProgramOutput {
    if (command.signal?.aborted === true) throw cancelledRun(command);
    const child = execa(command.program, command.args, { ...this.#options(command), stdin: 'ignore' });
    const { stdout } = child;
    const stderr = endOf(child.stderr);
    endWithProgram(child.nodeChildProcess);
    const ended = settled(child);
    ended.catch(() => undefined);
    const passed = async function* (): AsyncGenerator<Buffer> {
      try {
        yield* stdout as AsyncIterable<Buffer>;
      } catch (error) {
        // How the program ended says more.
        exitCodeOf(command, await ended);
        throw error;
      }
      checked(command, { stdout: '', stderr: stderr(), exitCode: exitCodeOf(command, await ended) });
    };
    const output = Readable.from(passed(), { objectMode: false });
    output.once('close', () => {
      stdout.destroy();
      child.kill('SIGKILL');
    });
    return { output, stderr };
  }

  async write(command: StreamCommand, source: Readable): Promise<void> {
    if (command.signal?.aborted === true) {
      source.on('error', () => undefined).destroy();
      throw cancelledRun(command);
    }
    const child = execa(command.program, command.args, { ...this.#options(command), stdout: 'ignore' });
    const { stdin } = child;
    const stderr = endOf(child.stderr);
    endWithProgram(child.nodeChildProcess);
    const ended = settled(child);
    // A program that has ended reads no more.
    void ended.then(
      () => stdin.destroy(),
      () => stdin.destroy(),
    );
    let cut: { readonly error: unknown } | undefined;
    await pipeline(source, stdin).catch((error: unknown) => void (cut = { error }));
    const exitCode = exitCodeOf(command, await ended);
    if (cut !== undefined && source.errored === cut.error && !isBrokenPipe(cut.error)) throw cut.error;
    checked(command, { stdout: '', stderr: stderr(), exitCode });
    if (cut !== undefined)
      throw new Failure('program-failed', {
        what: `"${command.program} ${command.args[0] ?? ''}"`,
        why: 'it did not read its whole input',
      });
  }
}

/**
 * Ends the output of a program that is killed. Another holder of its pipes, such as the unit that systemd-run has
 * started, must not keep the reader waiting.
 */
function endWithProgram(child: ChildProcess): void {
  child.once('exit', (_code, killedBy) => {
    if (killedBy === null) return;
    child.stdout?.destroy();
    child.stderr?.destroy();
  });
}

/** Resolves to how a program ended. */
async function settled(child: Promise<Ended>): Promise<Ended> {
  try {
    return await child;
  } catch (error) {
    throw error instanceof ExecaError ? Failure.from(new Error(error.shortMessage)) : error;
  }
}

/** Returns a function for the end of a text. */
function endOf(stream: Readable): () => string {
  let kept = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    kept = Buffer.concat([kept, chunk]).subarray(-maxStderrBytes);
  });
  return () => kept.toString('utf8');
}

/** Reports whether a stream ended because the program no longer read it. */
function isBrokenPipe(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'EPIPE' || code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}
