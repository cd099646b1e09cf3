/** The command line of the simulated `incus` client: its verbs and their flags. */
import { catchRefusal, incusError } from '../program/answer.ts';
import type { Answer, Invocation, SimulatedProgram, World } from '../program/answer.ts';
import { showConsoleLog } from '../inside/console.ts';
import { execChanges, execIn } from '../inside/exec.ts';
import { pullFile, pushFile } from '../inside/files.ts';
import { parseFlags } from '../program/flags.ts';
import type { Parsed } from '../program/flags.ts';
import { deleteImage, publishInstance } from './images.ts';
import { createEmptyInstance, createInstance, renameInstance } from './instances.ts';
import { deleteInstance, pauseInstance, restartInstance, startInstance, stopInstance } from './power.ts';
import { importInstance } from './backups.ts';
import { query } from './query.ts';
import { copySnapshot, deleteSnapshot, renameSnapshot, restoreSnapshot } from './snapshots.ts';
import { editTemplate } from './templates.ts';

interface Verb {
  readonly flags: Readonly<Record<string, 'value' | 'none'>>;
  /** Minimum number of operands. */
  readonly operands: number;
  readonly isLong?: boolean;
  /** Description of the server's operation, if the verb starts one. The operation continues without the client. */
  readonly operation?: string;
  changes(parsed: Parsed): boolean;
  run(world: World, parsed: Parsed, input: string): Answer;
}

const quiet = { quiet: 'none', q: 'none' } as const;
const powerFlags = { ...quiet, force: 'none', timeout: 'value' } as const;
/** The server's description of `publish`. Its operation does not name the instance (incus 6.0). */
const publishing = 'Downloading image';
/** The path to which a new snapshot or backup is sent. */
const newPath = /^\/1\.0\/instances\/([^/]+)\/(snapshots|backups)$/;
const always = (): boolean => true;
const never = (): boolean => false;

function first(parsed: Parsed): string {
  return parsed.rest[0] ?? '';
}

const verbs: Readonly<Record<string, Verb>> = {
  create: {
    operation: 'Creating instance',
    flags: { ...quiet, 'no-profiles': 'none', empty: 'none' },
    operands: 1,
    isLong: true,
    changes: always,
    run: (world, parsed, input) => {
      if (parsed.flags.has('empty')) return createEmptyInstance(world, first(parsed), input);
      const [image = '', name] = parsed.rest;
      return name === undefined ? incusError('Invalid number of arguments') : createInstance(world, image, name, input);
    },
  },
  start: {
    operation: 'Starting instance',
    flags: quiet,
    operands: 1,
    isLong: true,
    changes: always,
    run: (world, parsed) => startInstance(world, first(parsed)),
  },
  stop: {
    operation: 'Stopping instance',
    flags: powerFlags,
    operands: 1,
    isLong: true,
    changes: always,
    run: (world, parsed) => stopInstance(world, first(parsed), parsed.flags.has('force')),
  },
  restart: {
    operation: 'Restarting instance',
    flags: powerFlags,
    operands: 1,
    isLong: true,
    changes: always,
    run: (world, parsed) => restartInstance(world, first(parsed), parsed.flags.has('force')),
  },
  pause: {
    operation: 'Freezing instance',
    flags: quiet,
    operands: 1,
    changes: always,
    run: (world, parsed) => pauseInstance(world, first(parsed)),
  },
  delete: {
    operation: 'Deleting instance',
    flags: { ...quiet, force: 'none' },
    operands: 1,
    isLong: true,
    changes: always,
    run: (world, parsed) => deleteInstance(world, first(parsed), parsed.flags.has('force')),
  },
  query: {
    flags: { request: 'value', X: 'value', data: 'value', d: 'value', wait: 'none', w: 'none' },
    operands: 1,
    changes: (parsed) => (parsed.flags.get('request') ?? parsed.flags.get('X') ?? 'GET') !== 'GET',
    run: (world, parsed) => {
      const method = parsed.flags.get('request') ?? parsed.flags.get('X') ?? 'GET';
      return query(world, method, first(parsed), parsed.flags.get('data') ?? parsed.flags.get('d') ?? '');
    },
  },
  rename: {
    operation: 'Renaming instance',
    flags: quiet,
    operands: 2,
    changes: always,
    run: (world, parsed) => renameInstance(world, first(parsed), parsed.rest[1] ?? ''),
  },
  copy: {
    operation: 'Creating instance',
    flags: { ...quiet, config: 'value', c: 'value' },
    operands: 2,
    isLong: true,
    changes: always,
    run: (world, parsed) =>
      copySnapshot(world, first(parsed), parsed.rest[1] ?? '', [parsed.flags.get('config') ?? ''].filter(Boolean)),
  },
  // The server's part of an import, which the client begins through its socket (src/simulated/incus/streams.ts).
  import: {
    flags: quiet,
    operands: 2,
    changes: always,
    run: (world, parsed, input) => importInstance(world, parsed.rest[1] ?? '', input),
  },
  'snapshot restore': {
    operation: 'Restoring snapshot',
    flags: quiet,
    operands: 2,
    isLong: true,
    changes: always,
    run: (world, parsed) => restoreSnapshot(world, first(parsed), parsed.rest[1] ?? ''),
  },
  'snapshot delete': {
    operation: 'Deleting snapshot',
    flags: quiet,
    operands: 2,
    changes: always,
    run: (world, parsed) => deleteSnapshot(world, first(parsed), parsed.rest[1] ?? ''),
  },
  'snapshot rename': {
    operation: 'Renaming snapshot',
    flags: quiet,
    operands: 3,
    changes: always,
    run: (world, parsed) => renameSnapshot(world, first(parsed), parsed.rest[1] ?? '', parsed.rest[2] ?? ''),
  },
  'file push': {
    flags: { ...quiet, 'create-dirs': 'none', mode: 'value', uid: 'value', gid: 'value' },
    operands: 2,
    changes: always,
    run: (world, parsed, input) =>
      first(parsed) === '-'
        ? pushFile(world, parsed.rest[1] ?? '', input, {
            createFolders: parsed.flags.has('create-dirs'),
            mode: parsed.flags.get('mode') ?? '0644',
            uid: Number(parsed.flags.get('uid') ?? 0),
            gid: Number(parsed.flags.get('gid') ?? 0),
          })
        : incusError(`open ${first(parsed)}: no such file or directory`),
  },
  'config template edit': {
    flags: quiet,
    operands: 2,
    changes: always,
    run: (world, parsed, input) => editTemplate(world, first(parsed), parsed.rest[1] ?? '', input),
  },
  'file pull': {
    flags: quiet,
    operands: 2,
    changes: never,
    run: (world, parsed) => pullFile(world, first(parsed)),
  },
  exec: {
    flags: { ...quiet, 'force-noninteractive': 'none', env: 'value', cwd: 'value', user: 'value', group: 'value' },
    operands: 2,
    changes: (parsed) => execChanges(parsed.rest.slice(1)),
    run: (world, parsed, input) => execIn(world, first(parsed), parsed.rest.slice(1), input),
  },
  console: {
    flags: { 'show-log': 'none' },
    operands: 1,
    changes: never,
    run: (world, parsed) =>
      parsed.flags.has('show-log')
        ? showConsoleLog(world, first(parsed))
        : incusError('inappropriate ioctl for device'),
  },
  publish: {
    operation: publishing,
    flags: { ...quiet, alias: 'value', reuse: 'none', compression: 'value' },
    operands: 1,
    isLong: true,
    changes: always,
    run: (world, parsed) =>
      publishInstance(world, first(parsed), {
        alias: parsed.flags.get('alias'),
        reuse: parsed.flags.has('reuse'),
        properties: Object.fromEntries(parsed.rest.slice(1).map(splitProperty)),
      }),
  },
  'image delete': {
    flags: quiet,
    operands: 1,
    changes: always,
    run: (world, parsed) => deleteImage(world, first(parsed)),
  },
};

function splitProperty(text: string): [string, string] {
  const at = text.indexOf('=');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** How many words the name of a verb has, by its first one. Default: one. */
const wordsOf: Readonly<Record<string, number>> = { file: 2, image: 2, snapshot: 2, config: 3 };

function find(args: readonly string[]): { verb: Verb; parsed: Parsed } | undefined {
  const words = wordsOf[args[0] ?? ''] ?? 1;
  const name = args.slice(0, words).join(' ');
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  return verb === undefined ? undefined : { verb, parsed: parseFlags(args.slice(words), verb.flags) };
}

function unknownFlag(flag: string): string {
  return flag.startsWith('--') ? `unknown flag: ${flag}` : `unknown shorthand flag: '${flag.slice(1, 2)}' in ${flag}`;
}

function run(world: World, invocation: Invocation): Answer {
  const found = find(invocation.args);
  if (found === undefined) return incusError(`unknown command "${invocation.args[0] ?? ''}" for "incus"`);
  const { verb, parsed } = found;
  if (parsed.unknown !== undefined) return incusError(unknownFlag(parsed.unknown));
  if (parsed.rest.length < verb.operands) return incusError('Invalid number of arguments');
  return catchRefusal(() => verb.run(world, parsed, invocation.input));
}

export const incus: SimulatedProgram = {
  changes: (args) => {
    const found = find(args);
    return found?.verb.changes(found.parsed) ?? false;
  },
  isLong: (args) => {
    const found = find(args);
    if (found === undefined) return false;
    return found.verb.isLong ?? (args[0] === 'exec' && found.parsed.rest[1] === 'apt-get');
  },
  background: (args) => {
    const found = find(args);
    if (found === undefined) return undefined;
    const made = found.parsed.flags.get('request') === 'POST' ? newPath.exec(first(found.parsed)) : null;
    if (made !== null) {
      const description = made[2] === 'snapshots' ? 'Snapshotting instance' : 'Backing up instance';
      return { description, args, instance: made[1] ?? '' };
    }
    const description = found.verb.operation;
    if (description === undefined) return undefined;
    // The name comes second in `incus create IMAGE NAME` and `incus copy`, first in the other verbs.
    const isSecond = args[0] === 'copy' || (args[0] === 'create' && !found.parsed.flags.has('empty'));
    const instance = found.parsed.rest[isSecond ? 1 : 0];
    // The client adds the alias after the server has made the image.
    if (description === publishing) return { description, args: ['publish', ...found.parsed.rest] };
    return { description, args, ...(instance === undefined ? {} : { instance }) };
  },
  run,
};
