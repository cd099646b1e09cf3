/** Simulates zfs(8), the program that reads snapshots (src/repository/snapshotReader.ts), and the units they run in. */
import { createHash } from 'node:crypto';
import { catchRefusal, done, printed, refused } from '../program/answer.ts';
import type { Answer, Background, Invocation, SimulatedProgram, World } from '../program/answer.ts';
import { parseFlags } from '../program/flags.ts';
import { datasetNamed, snapshotNamed, zfsRefusal } from './datasets.ts';
import { receive, send } from './sent.ts';
import { zpool } from './zpool.ts';

type Verb = (world: World, args: readonly string[], input: Buffer) => Answer;

function lines(rows: readonly (readonly (string | number)[])[]): Answer {
  return printed(rows.map((row) => `${row.join('\t')}\n`).join(''));
}

const list: Verb = (world, args) => {
  const { rest, flags } = parseFlags(args, { H: 'none', p: 'none', o: 'value', t: 'value', d: 'value' });
  const [name = ''] = rest;
  switch (flags.get('t')) {
    case 'bookmark':
      return lines(datasetNamed(world, name).dataset.bookmarks.map((mark) => [`${name}#${mark.name}`, mark.guid]));
    case 'snapshot':
      return lines([[snapshotNamed(world, name).guid]]);
    default:
      datasetNamed(world, name);
      return lines([['filesystem', 'off']]);
  }
};

const verbs: Readonly<Record<string, Verb>> = {
  list,
  send(world, args) {
    const { rest, flags } = parseFlags(args, { n: 'none', P: 'none', i: 'value' });
    const [snapshot = ''] = rest;
    const stream = send(world, snapshot, flags.get('i'));
    return flags.has('n') ? lines([['size', stream.length]]) : printed(stream.toString('latin1'));
  },
  receive(world, args, input) {
    const { rest } = parseFlags(args, { F: 'none', u: 'none', x: 'value' });
    return receive(world, rest[0] ?? '', input);
  },
  bookmark(world, [snapshot = '', bookmark = '']) {
    const { dataset, guid, files } = snapshotNamed(world, snapshot);
    const [, name = ''] = bookmark.split('#');
    if (dataset.bookmarks.some((mark) => mark.name === name))
      throw zfsRefusal(`cannot create bookmark '${bookmark}': bookmark exists`);
    dataset.bookmarks.push({ name, guid, files: structuredClone(files) });
    return done();
  },
  destroy(world, [what = '']) {
    const [path = '', mark] = what.split('#');
    if (mark === undefined) return destroySnapshots(world, what);
    const { dataset } = datasetNamed(world, path);
    if (!dataset.bookmarks.some(({ name }) => name === mark))
      throw zfsRefusal(`could not find any bookmark to destroy: ${what}`);
    dataset.bookmarks = dataset.bookmarks.filter(({ name }) => name !== mark);
    return done();
  },
};

/** `destroy DATASET@%` */
function destroySnapshots(world: World, what: string): Answer {
  const { instance, dataset } = datasetNamed(world, what.split('@')[0] ?? '');
  if (dataset.received.length + instance.snapshots.length === 0)
    throw zfsRefusal('could not find any snapshots to destroy; check snapshot names.');
  dataset.received = [];
  instance.snapshots = [];
  return done();
}

function runZfs(world: World, args: readonly string[], input: string): Answer {
  const verb = Object.hasOwn(verbs, args[0] ?? '') ? verbs[args[0] ?? ''] : undefined;
  if (verb === undefined) return refused(2, `unrecognized command '${args[0] ?? ''}'`);
  return catchRefusal(() => verb(world, args.slice(1), Buffer.from(input, 'latin1')));
}

/** `list` or `check` of the program that reads a snapshot. */
function readSnapshot(world: World, [verb, snapshot = '']: readonly string[]): Answer {
  return catchRefusal(() => {
    const { dataset, files } = snapshotNamed(world, snapshot);
    if (verb === 'check') return dataset.trouble === undefined ? printed('') : refused(3, dataset.trouble);
    const sums = Object.entries(files).map(
      ([path, { content }]) => `${createHash('sha256').update(content).digest('hex')}  ${path}\n`,
    );
    return { ...printed(sums.join('')), stderr: `${sums.length} listed, 0 omitted\n` };
  });
}

/** Splits `systemd-run OPTIONS -- PROGRAM ARGUMENTS`. */
function inUnit(args: readonly string[]): { readonly unit: string; readonly argv: readonly string[] } {
  const end = args.indexOf('--');
  const unit = args.find((arg) => arg.startsWith('--unit='))?.slice('--unit='.length) ?? '';
  return { unit: `${unit}.service`, argv: args.slice(end + 1) };
}

const changing = ['bookmark', 'destroy', 'receive'];
const changesZfs = ([verb = '']: readonly string[]): boolean => changing.includes(verb);

export const zfs: SimulatedProgram = {
  changes: changesZfs,
  isLong: () => false,
  run: (world, { args, input }) => runZfs(world, args, input),
};

/** A unit runs on without the client that started it, until it is stopped. */
export const systemdRun: SimulatedProgram = {
  changes: (args) => {
    const { argv } = inUnit(args);
    if (argv[0] === 'zpool') return zpool.changes(argv.slice(1));
    return argv[0] === 'zfs' && changesZfs(argv.slice(1));
  },
  isLong: (args) => inUnit(args).argv[1] === 'receive',
  background(args): Background | undefined {
    return systemdRun.changes(args) ? { description: inUnit(args).unit, args } : undefined;
  },
  run(world: World, { args, input }: Invocation): Answer {
    const { argv } = inUnit(args);
    if (argv[0] === 'zfs') return runZfs(world, argv.slice(1), input);
    if (argv[0] === 'zpool') return zpool.run(world, { args: argv.slice(1), input });
    const at = argv.findIndex((arg) => /snapshotReader\.[jt]s$/.test(arg));
    return at < 0 ? refused(1, `Failed to find executable ${argv[0] ?? ''}`) : readSnapshot(world, argv.slice(at + 1));
  },
};

/** `systemctl stop PREFIX*.service` */
export const systemctl: SimulatedProgram = {
  changes: ([verb]) => verb === 'stop',
  isLong: () => false,
  run({ state }, { args: [verb, pattern = ''] }) {
    if (verb !== 'stop') return refused(1, `Unknown command verb ${verb ?? ''}.`);
    const prefix = pattern.replace(/\*\.service$/, '');
    const left = state.underway.filter(
      ({ program, description }) => program !== 'systemd-run' || !description.startsWith(prefix),
    );
    const isChanged = left.length < state.underway.length;
    state.underway = left;
    return isChanged ? done() : printed('');
  },
};
