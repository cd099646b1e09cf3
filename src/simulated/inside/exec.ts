/** Simulates `incus exec` for the programs that image builds and checks run in a container. */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { done, incusError, printed, refused } from '../program/answer.ts';
import type { Answer, World } from '../program/answer.ts';
import { instanceNamed } from '../program/lookup.ts';
import { isFolder } from './files.ts';
import { systemctl } from './units.ts';
import { getent, useradd } from './users.ts';
import type { InstanceRecord } from '../state/state.ts';

type InnerProgram = (instance: InstanceRecord, args: readonly string[], input: string) => Answer;

const succeed: InnerProgram = () => printed('');

const programs: Readonly<Record<string, InnerProgram>> = {
  'apt-get': aptGet,
  cat: cat,
  'cloud-init': succeed,
  false: () => refused(1, ''),
  find: findFiles,
  getent,
  journalctl: () => printed('-- No entries --\n'),
  // A folder exists as soon as a file is in it.
  mkdir: succeed,
  rm: remove,
  sha256sum: checksums,
  stat: modificationTimes,
  systemctl,
  test: exists,
  true: succeed,
  truncate: truncate,
  'update-rc.d': succeed,
  useradd,
  xargs: withArguments,
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

/** Removes pushed files. A missing file is no error, because other files are not simulated. */
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

/** Runs `truncate --size 0 FILE…`. */
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

/** Runs `find FOLDER -name PATTERN -delete` on pushed files. Ignores every other test and action. */
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

/** Runs `sha256sum -- FILE…`. Names are written as they are: the simulated host has no line feeds in them. */
function checksums(instance: InstanceRecord, args: readonly string[]): Answer {
  let [stdout, stderr] = ['', ''];
  for (const path of operands(args)) {
    const file = Object.hasOwn(instance.files, path) ? instance.files[path] : undefined;
    if (file === undefined) stderr += `sha256sum: ${path}: No such file or directory\n`;
    else stdout += `${createHash('sha256').update(file.content).digest('hex')}  ${path}\n`;
  }
  return { stdout, stderr, exitCode: stderr === '' ? 0 : 1, changed: false };
}

/** Runs `stat --format=%Y %n -- FILE…`. The simulated host keeps no times, so every file is old. */
function modificationTimes(instance: InstanceRecord, args: readonly string[]): Answer {
  const known = operands(args).filter((path) => Object.hasOwn(instance.files, path));
  const missing = operands(args).filter((path) => !known.includes(path));
  const stderr = missing.map((path) => `stat: cannot statx '${path}': No such file or directory\n`).join('');
  return { ...printed(known.map((path) => `0 ${path}\n`).join('')), stderr, exitCode: missing.length === 0 ? 0 : 1 };
}

/** Runs `test -e PATH` and the like. What is not simulated, as the programs of the image, exists below /usr. */
function exists(instance: InstanceRecord, args: readonly string[]): Answer {
  const [path = ''] = operands(args);
  const isThere = isFolder(instance.files, path) || Object.hasOwn(instance.files, path) || path.startsWith('/usr/');
  return isThere ? printed('') : refused(1, '');
}

/** Runs `apt-get`. Without an address it knows no package. */
function aptGet(instance: InstanceRecord, args: readonly string[]): Answer {
  const [verb, ...packages] = operands(args);
  if (verb !== 'install' || packages.length === 0 || instance.run?.address !== null) return printed('');
  return refused(100, packages.map((name) => `E: Unable to locate package ${name}`).join('\n'));
}

/** Runs `xargs -0 PROGRAM …`: the arguments on standard input, and 123 for a program that fails (xargs(1)). */
function withArguments(instance: InstanceRecord, args: readonly string[], input: string): Answer {
  const [program = '', ...given] = args.filter((argument) => argument !== '-0');
  const inner = Object.hasOwn(programs, program) ? programs[program] : undefined;
  if (inner === undefined) return refused(127, `xargs: ${program}: No such file or directory`);
  const answer = inner(instance, [...given, ...input.split('\0').filter((path) => path !== '')], '');
  return answer.exitCode === 0 ? answer : { ...answer, exitCode: 123 };
}

const readers = ['cat', 'false', 'getent', 'journalctl', 'sha256sum', 'stat', 'test', 'true'];

/** Reports whether a command line in a container may change the container. */
export function execChanges(argv: readonly string[]): boolean {
  const [program = '', ...args] = argv;
  if (program === 'xargs') return execChanges(args.filter((argument) => argument !== '-0'));
  if (posix.basename(program) === 'systemctl') return !args.some((argument) => argument.startsWith('is-'));
  return !readers.includes(posix.basename(program));
}

export function execIn(world: World, name: string, argv: readonly string[], input: string): Answer {
  const instance = instanceNamed(world, name);
  if (instance.run === null) return incusError('Instance is not running');
  if (instance.run.isPaused === true) return incusError('Instance is frozen');
  world.emit('instance-exec', name);
  const [program = '', ...args] = argv;
  // A path counts only in the folders for programs.
  const plain = /^(\/usr(\/local)?)?\/s?bin\//.test(program) ? posix.basename(program) : program;
  const inner = Object.hasOwn(programs, plain) ? programs[plain] : undefined;
  if (inner === undefined) return refused(127, 'Error: Command not found');
  return inner(instance, args, input);
}
