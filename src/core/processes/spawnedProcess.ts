/** Spawns a program that passes the bound port and the protocol on, and reads what the process writes to its log. */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { logProcess } from './processLog.ts';
import type { Listener } from './listener.ts';
import type { ProcessEnd, ProcessKind, ProcessRun } from './processStarter.ts';

export interface SpawnOptions {
  readonly kind: ProcessKind;
  readonly listener: Listener;
  readonly log: Logger;
  /** Default: that of core. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Returns core's end of a process that inherits the port as standard input and the protocol as standard output. */
export function spawnProcess(
  [program = '', ...args]: readonly string[],
  { kind, listener, log, env = process.env }: SpawnOptions,
): Omit<ProcessRun, 'kill'> & { readonly child: ChildProcess } {
  // spawn accepts a handle, but its types do not say so.
  const child = spawn(program, args, { stdio: [listener.handle as 'inherit', 'pipe', 'pipe'], env });
  const output = logProcess(child.stderr, kind, log);
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal, lastLine: output.last }));
    child.once('error', (error) => resolve({ code: null, signal: null, lastLine: error.message }));
  });
  // spawn makes its pipes as socket pairs, which work in both directions.
  return { child, channel: child.stdout as unknown as Duplex, ended };
}
