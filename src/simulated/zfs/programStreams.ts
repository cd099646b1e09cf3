/** The simulated host's {@link ProgramStreams}: programs whose output or input is a stream. */
import { PassThrough, type Readable } from 'node:stream';
import { Failure } from '../../domain/failure.ts';
import type { ProgramOutput, ProgramStreams, StreamCommand } from '../../host/programStreams.ts';
import { cancelledRun, checked, timedOut } from '../../host/runner.ts';
import type { Gate } from '../faults/gate.ts';
import { refused, type Answer } from '../program/answer.ts';
import { systemdRun } from './zfs.ts';

const maxInputBytes = 64 * 1024 * 1024;

export class SimulatedProgramStreams implements ProgramStreams {
  readonly #gate: Gate;

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  read(command: StreamCommand): ProgramOutput {
    const output = new PassThrough();
    let stderr = '';
    void this.#run(command, '').then(
      (answer) => {
        // Half of the output comes before a failure that a fault makes.
        ({ stderr } = answer);
        const bytes = Buffer.from(answer.stdout, 'latin1');
        try {
          checked(command, answer);
          output.end(bytes);
        } catch (error) {
          output.write(bytes.subarray(0, bytes.length / 2));
          output.destroy(error as Error);
        }
      },
      (error: unknown) => output.destroy(error as Error),
    );
    return { output, stderr: () => stderr };
  }

  async write(command: StreamCommand, source: Readable): Promise<void> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of source as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxInputBytes)
        throw new Failure('program-failed', { what: `"${command.program}"`, why: 'no space left on device' });
      chunks.push(chunk);
    }
    checked(command, await this.#run(command, Buffer.concat(chunks).toString('latin1')));
  }

  #run(command: StreamCommand, input: string): Promise<Answer> {
    const { program, args, timeoutMs, signal } = command;
    const background = systemdRun.background?.(args);
    return this.#gate.pass({
      subject: { program, args: [...args], changes: systemdRun.changes(args) },
      isLong: systemdRun.isLong(args),
      limitMs: timeoutMs,
      signal,
      background: background === undefined ? undefined : { program, input, ...background, args: [...background.args] },
      effect: (world) => systemdRun.run(world, { args, input }),
      failed: (_how, message = 'Error: simulated fault') => refused(1, message),
      timedOut: () => timedOut(command),
      cancelled: () => cancelledRun(command),
    });
  }
}
