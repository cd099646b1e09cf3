/**
 * Simulates `journalctl --follow` for the log of the simulated host's sshd. Nobody connects to a simulated host, so
 * what its sshd has logged is in a file of JSON lines, to which tests append: {@link logLine}.
 */
import { readFileSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { Readable } from 'node:stream';
import * as z from 'zod';
import type { ProgramOutput, ProgramStreams, StreamCommand } from '../../host/programStreams.ts';
import { cancelledRun, checked, timedOut } from '../../host/runner.ts';
import type { Gate } from '../faults/gate.ts';
import { printed, refused } from '../program/answer.ts';

/** A line of the file. */
const logLine = z.strictObject({
  /** RFC 3339. */
  at: z.iso.datetime(),
  pid: z.number().int(),
  message: z.string(),
  /** The user who logged it. Default: root. */
  uid: z.number().int().default(0),
  /** The program that logged it. */
  comm: z.string().default('sshd'),
});

export type SimulatedLogLine = z.input<typeof logLine>;

export class SimulatedSshdLog {
  readonly #gate: Gate;
  readonly #path: string | undefined;

  /** Without a path, nothing is ever logged. */
  constructor(gate: Gate, path: string | undefined) {
    this.#gate = gate;
    this.#path = path;
  }

  read(command: StreamCommand): ProgramOutput {
    let stderr = '';
    const passed = async function* (this: SimulatedSshdLog): AsyncGenerator<string, void, undefined> {
      const answer = await this.#pass(command);
      ({ stderr } = answer);
      checked(command, answer);
      yield* this.#entries(command);
    };
    return { output: Readable.from(passed.call(this), { objectMode: false }), stderr: () => stderr };
  }

  #pass(command: StreamCommand) {
    const { program, args, timeoutMs, signal } = command;
    return this.#gate.pass({
      subject: { program, args: [...args], changes: false },
      isLong: false,
      limitMs: timeoutMs,
      signal,
      effect: () => printed(''),
      failed: (_how, message = 'Failed to open files: simulated fault') => refused(1, message),
      timedOut: () => timedOut(command),
      cancelled: () => cancelledRun(command),
    });
  }

  async *#entries(command: StreamCommand): AsyncGenerator<string, void, undefined> {
    const { args, signal } = command;
    let read = Number(/^--after-cursor=s=simulated;i=(\d+)$/.exec(valueOf(args, '--after-cursor'))?.[1] ?? 0);
    const sinceMs = Number(valueOf(args, '--since').slice('--since=@'.length)) * 1000;
    const changes = new Changes(this.#path);
    signal?.addEventListener('abort', changes.wake, { once: true });
    try {
      for (;;) {
        if (signal?.aborted === true) throw cancelledRun(command);
        const lines = this.#lines();
        for (const line of lines.slice(read)) {
          read += 1;
          if (line.uid === 0 && !(Date.parse(line.at) < sinceMs)) yield `${JSON.stringify(entryOf(line, read))}\n`;
        }
        await changes.next();
      }
    } finally {
      signal?.removeEventListener('abort', changes.wake);
      changes.close();
    }
  }

  #lines(): z.output<typeof logLine>[] {
    if (this.#path === undefined) return [];
    try {
      const whole = readFileSync(this.#path, 'utf8').split('\n').slice(0, -1);
      return whole.map((line) => logLine.parse(JSON.parse(line)));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw error;
    }
  }
}

/** Returns the {@link ProgramStreams} in which the log is one of the programs. */
export function withSshdLog(others: ProgramStreams, log: SimulatedSshdLog): ProgramStreams {
  return {
    read: (command) => (command.program === 'journalctl' ? log.read(command) : others.read(command)),
    write: (command, source) => others.write(command, source),
  };
}

function valueOf(args: readonly string[], option: string): string {
  return args.find((argument) => argument.startsWith(`${option}=`)) ?? '';
}

/** Returns an entry as `journalctl --output=json` prints it. */
function entryOf({ at, pid, message, uid, comm }: z.output<typeof logLine>, number: number): object {
  return {
    __CURSOR: `s=simulated;i=${number}`,
    __REALTIME_TIMESTAMP: String(Date.parse(at) * 1000),
    _PID: String(pid),
    _UID: String(uid),
    _COMM: comm,
    SYSLOG_IDENTIFIER: 'sshd',
    MESSAGE: message,
  };
}

/** Notices changes of a file that may not exist yet. */
class Changes {
  readonly #watcher;
  #changed = false;
  #resolve: (() => void) | undefined;

  constructor(path: string | undefined) {
    this.#watcher =
      path === undefined
        ? undefined
        : watch(dirname(path), { persistent: false }, (_event, name) => {
            if (name === basename(path)) this.wake();
          });
  }

  readonly wake = (): void => {
    this.#changed = true;
    this.#resolve?.();
  };

  /** Resolves at once if the file has changed since the last call. */
  async next(): Promise<void> {
    if (!this.#changed) await new Promise<void>((resolve) => (this.#resolve = resolve));
    this.#changed = false;
  }

  close(): void {
    this.#watcher?.close();
  }
}
