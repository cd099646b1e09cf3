/**
 * `incus exec`: the programs that image builds and checks use inside a container. They succeed; none of them really
 * does its work.
 */
import { posix } from 'node:path';
import { done, incusError, printed, refused } from '../program/answer.ts';
import type { Answer, World } from '../program/answer.ts';
import { instanceNamed } from '../program/lookup.ts';
import type { InstanceRecord } from '../state/state.ts';

type InnerProgram = (instance: InstanceRecord, args: readonly string[]) => Answer;

const nothing: InnerProgram = () => printed('');

const programs: Readonly<Record<string, InnerProgram>> = {
  'apt-get': nothing,
  cat: cat,
  'cloud-init': nothing,
  false: () => refused(1, ''),
  find: findFiles,
  getent: nothing,
  journalctl: () => printed('-- No entries --\n'),
  rm: remove,
  systemctl: systemctl,
  test: nothing,
  true: nothing,
  truncate: truncate,
  'update-rc.d': nothing,
  useradd: nothing,
};

function operands(args: readonly string[]): string[] {
  return args.filter((argument) => !argument.startsWith('-')).map((path) => posix.normalize(path));
}

function cat(instance: InstanceRecord, args: readonly string[]): Answer {
  let text = '';
  for (const path of operands(args)) {
    const file = Object.hasOwn(instance.files, path) ? instance.files[path] : undefined;
    if (file === undefined) return refused(1, `cat: ${path}: No such file or directory`);
    text += file.content;
  }
  return printed(text);
}

/** Removes pushed files; the rest of the file system is not simulated, so a missing one is no error. */
function remove(instance: InstanceRecord, args: readonly string[]): Answer {
  let changed = false;
  for (const path of operands(args)) {
    for (const file of Object.keys(instance.files)) {
      if (file !== path && !file.startsWith(`${path.replace(/\/$/, '')}/`)) continue;
      delete instance.files[file];
      changed = true;
    }
  }
  return changed ? done() : printed('');
}

/** `truncate --size 0 FILE…`. */
function truncate(instance: InstanceRecord, args: readonly string[]): Answer {
  let changed = false;
  for (const path of operands(args)) {
    const file = Object.hasOwn(instance.files, path) ? instance.files[path] : undefined;
    if (file === undefined) continue;
    file.content = '';
    changed = true;
  }
  return changed ? done() : printed('');
}

/**
 * `find FOLDER -name PATTERN -delete`: only pushed files can be found; anything but `-name`, `-type f` and `-delete` is
 * ignored.
 */
function findFiles(instance: InstanceRecord, args: readonly string[]): Answer {
  const [folder = '/'] = operands(args);
  const named = args.indexOf('-name');
  const pattern = named < 0 ? '*' : (args[named + 1] ?? '*');
  const found = Object.keys(instance.files)
    .filter((path) => path.startsWith(`${folder}/`) && posix.matchesGlob(posix.basename(path), pattern))
    .sort();
  if (!args.includes('-delete')) return printed(found.map((path) => `${path}\n`).join(''));
  for (const path of found) delete instance.files[path];
  return found.length > 0 ? done() : printed('');
}

function systemctl(_instance: InstanceRecord, args: readonly string[]): Answer {
  if (args.includes('is-system-running')) return printed('running\n');
  if (args.includes('is-active')) return printed('active\n');
  return args.includes('is-enabled') ? printed('enabled\n') : printed('');
}

const readers = ['cat', 'false', 'getent', 'journalctl', 'test', 'true'];

/** Whether a command line inside a container is of a kind that changes it. */
export function execChanges(argv: readonly string[]): boolean {
  const [program = '', ...args] = argv;
  if (posix.basename(program) === 'systemctl') return !args.some((argument) => argument.startsWith('is-'));
  return !readers.includes(posix.basename(program));
}

export function execIn(world: World, name: string, argv: readonly string[]): Answer {
  const instance = instanceNamed(world, name);
  if (instance.run === null) return incusError('Instance is not running');
  world.happened('instance-exec', name);
  const [program = '', ...args] = argv;
  // A path names a program only where programs are kept.
  const plain = /^(\/usr(\/local)?)?\/s?bin\//.test(program) ? posix.basename(program) : program;
  const inner = Object.hasOwn(programs, plain) ? programs[plain] : undefined;
  if (inner === undefined) return refused(127, 'Error: Command not found');
  return inner(instance, args);
}
