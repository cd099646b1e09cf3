/**
 * Runs the programs that prepare a machine (apt-get, systemctl, incusd …). Separate from `host/runner.ts` on purpose:
 * that file lists the programs that a running server may start.
 */
import { execa } from 'execa';
import { Failure } from '../domain/failure.ts';
import { printableLines } from '../domain/text.ts';
import { systemPath } from '../domain/systemPath.ts';
import { durationInWords } from '../domain/values/duration.ts';

export interface RunOptions {
  readonly timeoutMs?: number;
  /** Standard input; empty by default. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Exit codes that are no failure. Default: only 0. */
  readonly allowExit?: readonly number[] | 'any';
  readonly signal?: AbortSignal;
  /** The working directory. Default: that of this process. */
  readonly cwd?: string;
  /** Gives the program a session of its own (setsid(2)), so that the end of the terminal sends it no signal. */
  readonly outlivesTerminal?: boolean;
}

export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** Default time limit of a program, in milliseconds. */
const shortMs = 60_000;

/**
 * Runs one program to its end, without a shell. The locale is fixed, because callers parse the output.
 *
 * Rejects with `program-missing`, `timeout`, `cancelled`, or `program-failed` (details: exit code and end of output).
 */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const timeoutMs = options.timeoutMs ?? shortMs;
  const what = `"${[program, ...args].join(' ').slice(0, 200)}"`;
  const result = await execa(program, args, {
    input: options.input ?? '',
    env: {
      PATH: systemPath,
      LC_ALL: 'C',
      ...options.env,
    },
    timeout: timeoutMs,
    forceKillAfterDelay: 5000,
    maxBuffer: 64 * 1024 * 1024,
    reject: false,
    stripFinalNewline: false,
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.outlivesTerminal === true ? { detached: true } : {}),
  });
  if (result.timedOut)
    throw new Failure('timeout', { what, why: `it did not end within ${durationInWords(timeoutMs)} and was stopped` });
  if (result.isCanceled) throw new Failure('cancelled', { what, why: 'it was cancelled' });
  if (result.exitCode === undefined) {
    if (result.code === 'ENOENT')
      throw new Failure('program-missing', { what: `"${program}"`, why: 'it is not installed on this machine' });
    throw new Failure('program-failed', {
      what,
      why: result.originalMessage ?? `it was killed by ${result.signal ?? 'an unknown signal'}`,
    });
  }
  const allowed = options.allowExit ?? [0];
  if (allowed !== 'any' && !allowed.includes(result.exitCode)) {
    const output = printableLines([result.stdout.trim(), result.stderr.trim()].join('\n').trim()).slice(-4000);
    const lastLine = printableLines(result.stderr.trim()).split('\n').at(-1) || output.split('\n').at(-1) || '';
    throw new Failure('program-failed', {
      what,
      why: lastLine === '' ? `it exited with status ${result.exitCode}` : lastLine,
      details: { exitCode: result.exitCode, output },
    });
  }
  return { stdout: result.stdout, stderr: result.stderr, exitCode: result.exitCode };
}

/** Reports whether a program exits with status 0; false if it is missing. */
export async function succeeds(program: string, args: readonly string[], options: RunOptions = {}): Promise<boolean> {
  try {
    return (await run(program, args, { ...options, allowExit: 'any' })).exitCode === 0;
  } catch (error) {
    if (error instanceof Failure && error.code === 'program-missing') return false;
    throw error;
  }
}
