/** The simulated host's {@link Runner}: answers and fails as the real runner does. */
import { Failure } from '../domain/failure.ts';
import { cancelledRun, checked, timedOut } from '../host/runner.ts';
import type { Command, Output, Program, Runner } from '../host/runner.ts';
import { refused } from './program/answer.ts';
import type { Answer, World } from './program/answer.ts';
import type { Gate } from './faults/gate.ts';
import { programs } from './programs.ts';
import type { UnderwayRecord } from './state/state.ts';

const defaultMaxOutputBytes = 16 * 1024 * 1024;

function faultAnswer(command: Command, how: 'fault' | 'lock' | 'down', message = 'Error: simulated fault'): Answer {
  if (how === 'down' && command.program === 'incus') {
    return refused(1, "Error: The incus daemon doesn't appear to be started (socket path: /var/lib/incus/unix.socket)");
  }
  if (how !== 'lock') return refused(1, message);
  const file = command.program.startsWith('group') ? '/etc/group' : '/etc/passwd';
  return refused(1, `${command.program}: cannot lock ${file}; try again later.`);
}

function missing(command: Command): Failure {
  return new Failure('program-missing', {
    what: `"${command.program}"`,
    why: 'this program is not installed on the host',
    next: 'see "doctor"',
  });
}

function backgroundOf(command: Command): Omit<UnderwayRecord, 'id' | 'doneAtMs'> | undefined {
  const { program, args } = command;
  const background = programs[program]?.background?.(args);
  return background === undefined
    ? undefined
    : { program, input: command.input ?? '', ...background, args: [...background.args] };
}

/** Does the work that a command has left behind. Its answer is dropped, because the client is gone. */
export function finishUnderway(world: World, { program, args, input }: UnderwayRecord): void {
  programs[program as Program]?.run(world, { args, input });
}

export class SimulatedRunner implements Runner {
  readonly #gate: Gate;

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  async run(command: Command): Promise<Output> {
    const { args, signal, timeoutMs } = command;
    const program = programs[command.program];
    const answer = await this.#gate.pass({
      subject: { program: command.program, args: [...args], changes: program?.changes(args) ?? false },
      isLong: program?.isLong(args) ?? false,
      limitMs: timeoutMs,
      signal,
      background: backgroundOf(command),
      effect: (world) => {
        if (program === undefined) throw missing(command);
        return program.run(world, { args, input: command.input ?? '' });
      },
      failed: (how, message) => faultAnswer(command, how, message),
      timedOut: () => timedOut(command),
      cancelled: () => cancelledRun(command),
    });
    const limit = command.maxOutputBytes ?? defaultMaxOutputBytes;
    if (Buffer.byteLength(answer.stdout) > limit) {
      throw new Failure('unexpected-output', {
        what: `"${command.program} ${args[0] ?? ''}"`,
        why: `it printed more than ${limit} bytes`,
      });
    }
    return checked(command, { stdout: answer.stdout, stderr: answer.stderr, exitCode: answer.exitCode });
  }
}
