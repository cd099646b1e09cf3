/** The simulated host's {@link Runner}: answers commands as the real one would, and fails exactly like it. */
import { Failure } from '../domain/failure.ts';
import { cancelledRun, checked, timedOut } from '../host/runner.ts';
import type { Command, Output, Runner } from '../host/runner.ts';
import { refused } from './answer.ts';
import type { Answer } from './answer.ts';
import type { Gate } from './gate.ts';
import { programs } from './programs.ts';

const defaultMaxOutputBytes = 16 * 1024 * 1024;

function faultAnswer(command: Command, lock: boolean): Answer {
  if (!lock) return refused(1, 'Error: simulated fault');
  const file = command.program.startsWith('group') ? '/etc/group' : '/etc/passwd';
  return refused(1, `${command.program}: cannot lock ${file}; try again later.`);
}

function missing(command: Command): Failure {
  return new Failure('program-missing', {
    what: `"${command.program}"`,
    why: 'this program is not installed on the host',
    next: 'containarium doctor',
  });
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
      effect: (world) => {
        if (program === undefined) throw missing(command);
        return program.run(world, { args, input: command.input ?? '' });
      },
      failed: (lock) => faultAnswer(command, lock),
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
