/** Simulates `incus exec` for the programs that image builds and checks run in a container. Most only succeed. */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { done, incusError, printed, refused } from '../program/answer.ts';
import type { Answer, World } from '../program/answer.ts';
import { instanceNamed } from '../program/lookup.ts';
import type { InstanceRecord } from '../state/state.ts';

type InnerProgram = (instance: InstanceRecord, args: readonly string[]) => Answer;

const succeed: InnerProgram = () => printed('');

const programs: Readonly<Record<string, InnerProgram>> = {
  'apt-get': succeed,
  cat: cat,
  'cloud-init': succeed,
  false: () => refused(1, ''),
  find: findFiles,
  getent: succeed,
  journalctl: () => printed('-- No entries --\n'),
  rm: remove,
  sha256sum: checksums,
  stat: modificationTimes,
  systemctl: systemctl,
  test: succeed,
  true: succeed,
  truncate: truncate,
  'update-rc.d': succeed,
  useradd: succeed,
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

/** Runs `stat --format=%Y -- FILE`. The simulated host keeps no times, so every file is old. */
function modificationTimes(instance: InstanceRecord, args: readonly string[]): Answer {
  const known = operands(args).filter((path) => Object.hasOwn(instance.files, path));
  const missing = operands(args).filter((path) => !known.includes(path));
  const stderr = missing.map((path) => `stat: cannot statx '${path}': No such file or directory\n`).join('');
  return { ...printed(known.map(() => '0\n').join('')), stderr, exitCode: missing.length === 0 ? 0 : 1 };
}

function systemctl(_instance: InstanceRecord, args: readonly string[]): Answer {
  if (args.includes('is-system-running')) return printed('running\n');
  if (args.includes('is-active')) return printed('active\n');
  return args.includes('is-enabled') ? printed('enabled\n') : printed('');
}

const readers = ['cat', 'false', 'getent', 'journalctl', 'sha256sum', 'stat', 'test', 'true'];

/** Reports whether a command line in a container may change the container. */
export function execChanges(argv: readonly string[]): boolean {
  const [program = '', ...args] = argv;
  if (posix.basename(program) === 'systemctl') return !args.some((argument) => argument.startsWith('is-'));
  return !readers.includes(posix.basename(program));
}

export function execIn(world: World, name: string, argv: readonly string[]): Answer {
  const instance = instanceNamed(world, name);
  if (instance.run === null) return incusError('Instance is not running');
  world.emit('instance-exec', name);
  const [program = '', ...args] = argv;
  // A path counts only in the folders for programs.
  const plain = /^(\/usr(\/local)?)?\/s?bin\//.test(program) ? posix.basename(program) : program;
  const inner = Object.hasOwn(programs, plain) ? programs[plain] : undefined;
  if (inner === undefined) return refused(127, 'Error: Command not found');
  return inner(instance, args);
}
