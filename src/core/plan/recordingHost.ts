/** The host of a rehearsal: a simulated one that notes its changes, and asks the real one what it cannot know. */
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { isFailure } from '../../domain/failure.ts';
import type { PlannedCommand, PlannedProgram } from '../../domain/results/plan.ts';
import type { IncusStreams } from '../../host/incus/streams.ts';
import type { JumpKeys } from '../../host/jumpKeys.ts';
import type { ProgramStreams } from '../../host/programStreams.ts';
import { cancelledRun, type Command, type Output, type Runner } from '../../host/runner.ts';
import { field } from '../../service/instances/metadata.ts';
import type { SimulatedHost } from '../../simulated/host.ts';
import { programs } from '../../simulated/programs.ts';

export interface RecordingOptions {
  readonly simulated: Pick<SimulatedHost, 'runner' | 'programStreams' | 'jumpKeys' | 'streams'>;
  /** Says how much room the disk of Incus has. */
  readonly disk: Pick<IncusStreams, 'freeForBackups'>;
  /** The runner of the real host; undefined if a simulated one was copied, which is then complete. */
  readonly real: Runner | undefined;
  /** Where the keys of jump accounts are on the host. */
  readonly authorizedKeysFolder: string;
  readonly note: (command: PlannedCommand) => void;
  readonly signal: AbortSignal;
}

export interface RecordingHost {
  readonly runner: Runner;
  readonly programStreams: ProgramStreams;
  readonly jumpKeys: JumpKeys;
  readonly streams: IncusStreams;
}

/**
 * Returns the host of a rehearsal. Until the first change the real host answers what is asked, so that all checks of a
 * verb see it as it is. From then on the copy answers, which has the changes.
 */
export function recordingHost(options: RecordingOptions): RecordingHost {
  const { simulated, real, disk, authorizedKeysFolder, note, signal } = options;
  let hasChanged = false;
  /** Instances that the rehearsal has made of backups. The real host knows nothing of them. */
  const imported = new Set<string>();
  const changing = (command: PlannedCommand): void => {
    hasChanged = true;
    note(command);
  };

  async function run(command: Command): Promise<Output> {
    // The simulated host answers at once, so the commands of a rehearsal would keep core from everything else.
    await setImmediate();
    if (signal.aborted) throw cancelledRun(command);
    const bounded = { ...command, signal: command.signal ?? signal };
    if (programs[command.program]?.changes(command.args) === true) {
      if (isEmptyInstance(command)) imported.add(command.args[2] ?? '');
      changing(planned(command));
      return simulated.runner.run(bounded);
    }
    if (real === undefined || !isQuestion(command)) return simulated.runner.run(bounded);
    if (!hasChanged) return real.run(bounded);
    try {
      return await simulated.runner.run(bounded);
    } catch (error) {
      // The copy has only the files that the rehearsal has written.
      if (!isFilePull(command) || !isFailure(error, 'program-failed')) throw error;
      if (imported.has(command.args[2]?.split('/')[0] ?? '')) throw error;
      return real.run(bounded);
    }
  }

  const { streams, programStreams } = simulated;
  const pathOf = (user: string): string => join(authorizedKeysFolder, user);
  return {
    runner: { run },
    programStreams: {
      read: (command) => programStreams.read(command),
      write: (command, source) => {
        // What it would read is a backup, which a rehearsal does not read.
        changing(planned(command));
        return programStreams.write(command, source);
      },
    },
    jumpKeys: {
      read: (user) => simulated.jumpKeys.read(user),
      users: () => simulated.jumpKeys.users(),
      write: (user, text) => {
        changing({ kind: 'write', path: pathOf(user), bytes: Buffer.byteLength(text) });
        return simulated.jumpKeys.write(user, text);
      },
      remove: (user) => {
        changing({ kind: 'remove', path: pathOf(user), bytes: null });
        return simulated.jumpKeys.remove(user);
      },
    },
    streams: {
      events: (...wanted) => streams.events(...wanted),
      terminal: (request) => streams.terminal(request),
      readBackup: (...names) => streams.readBackup(...names),
      createFromBackup: (wanted) => {
        changing({ kind: 'import', what: wanted.name, where: `the backup, in pool ${wanted.pool}` });
        imported.add(wanted.name);
        return streams.createFromBackup(wanted);
      },
      freeForBackups: () => disk.freeForBackups(),
    },
  };
}

/** Reports whether a command makes an instance that gets the files of a backup. */
function isEmptyInstance({ program, args }: Command): boolean {
  return program === 'incus' && args[0] === 'create' && args[1] === '--empty';
}

function isFilePull({ program, args }: Command): boolean {
  // To standard output, and not to a file.
  return program === 'incus' && args[0] === 'file' && args[1] === 'pull' && args[3] === '-' && args.length === 4;
}

/** Reports whether a command only asks. The real host gets no other, so this is a list of what it may get. */
function isQuestion(command: Command): boolean {
  const { program, args } = command;
  if (program === 'getent' || program === 'ssh-keyscan' || (program === 'zfs' && args[0] === 'list')) return true;
  if (program === 'zpool' && args[0] === 'status') return true;
  const isQuery = program === 'incus' && args[0] === 'query' && args.length === 2 && args[1]?.startsWith('/') === true;
  return isQuery || isFilePull(command);
}

/** Returns the configuration of a new instance without its seed, which has a private key. It has no other. */
function withoutSeed(input: string): string {
  const spec = JSON.parse(input) as { config?: Record<string, string> };
  if (spec.config?.[field.seed] === undefined) return input;
  return JSON.stringify({ ...spec, config: { ...spec.config, [field.seed]: '(left out)' } });
}

function planned({ program, args, input = '' }: Command): PlannedProgram {
  return {
    kind: 'program',
    argv: [program, ...args],
    stdinBytes: Buffer.byteLength(input),
    // Pushed files may be private keys.
    stdin: program === 'incus' && args[0] === 'create' ? withoutSeed(input) : null,
  };
}
