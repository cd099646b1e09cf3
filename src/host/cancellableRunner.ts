/** Programs of a change that its caller can cancel (`domain/cancellation.ts`). */
import { presentCancellation } from '../domain/cancellation.ts';
import type { ProgramStreams } from './programStreams.ts';
import type { Command, Runner } from './runner.ts';

/** The programs that may take long. Others, such as useradd, which holds a lock, come to their end. */
const long: readonly Command['program'][] = ['incus', 'zfs'];

/** Returns a command that also ends when the change that runs it is cancelled. */
function ended<C extends Pick<Command, 'program' | 'signal'>>(command: C): C {
  const cancellation = presentCancellation();
  if (cancellation === undefined || !long.includes(command.program)) return command;
  const { signal } = command;
  return { ...command, signal: signal === undefined ? cancellation : AbortSignal.any([signal, cancellation]) };
}

/** Returns the same host, whose long programs end when the change that runs them is cancelled. */
export function endedByCancellation<T extends { readonly runner: Runner; readonly programStreams: ProgramStreams }>(
  host: T,
): T {
  const { runner, programStreams } = host;
  return {
    ...host,
    runner: { run: (command) => runner.run(ended(command)) },
    programStreams: {
      read: (command) => programStreams.read(ended(command)),
      write: (command, source) => programStreams.write(ended(command), source),
    },
  };
}
