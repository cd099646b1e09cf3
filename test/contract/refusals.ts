/**
 * What Incus and the programs in a container refuse. Each command runs against the simulated host and against a real
 * Incus, and both must give the same exit code and the same reason: a simulation that is kinder than Incus hides what
 * happens on a real host.
 */
import { readFile, writeFile } from 'node:fs/promises';
import type { InstanceSpec } from '../../src/host/incus/incus.ts';
import type { Runner } from '../../src/host/runner.ts';
import { incusBy } from '../support/incus.ts';
import { booted } from './streams.ts';

export interface RefusalWorld {
  readonly runner: Runner;
  /** An image with systemd. */
  readonly image: string;
  readonly spec: InstanceSpec;
}

/** The exit code of each command, and the reason that it gives. */
export type Refusals = Record<string, string>;

const path = new URL('refusals.json', import.meta.url);

const instance = 'cxt-refused';
const other = 'cxt-other';

/** Runs all commands, and removes the instances. */
export async function refusalsOf({ runner, image, spec }: RefusalWorld): Promise<Refusals> {
  const answers: Refusals = {};
  const run = async (args: readonly string[], input = ''): Promise<string> => {
    const command = {
      program: 'incus',
      args,
      input,
      timeoutMs: 120_000,
      allowExit: Array.from({ length: 256 }, (_, n) => n),
    } as const;
    const { exitCode, stderr } = await runner.run(command);
    // Incus's own reason. What a program inside prints may be cut, if the machine is busy.
    const reason = stderr.split('\n').find((line) => line.startsWith('Error: '));
    return reason === undefined ? String(exitCode) : `${exitCode} ${reason}`;
  };
  /** Notes what a command answers. */
  const note = async (what: string, args: readonly string[], input?: string): Promise<void> => {
    answers[what] = await run(args, input);
  };
  const state = async (what: string): Promise<void> => {
    const { stdout } = await runner.run({
      program: 'incus',
      args: ['query', `/1.0/instances/${instance}`],
      timeoutMs: 60_000,
    });
    answers[what] = (JSON.parse(stdout) as { status: string }).status;
  };
  const create = (name: string, more: Readonly<Record<string, string>> = {}): Promise<string> =>
    run(
      ['create', image, name, '--no-profiles', '--quiet'],
      JSON.stringify({ ...spec, config: { ...spec.config, ...more } }),
    );
  const patch = (change: object): string[] => [
    'query',
    '--request',
    'PATCH',
    '--data',
    JSON.stringify(change),
    `/1.0/instances/${instance}`,
  ];
  const inside = (...argv: string[]): string[] => ['exec', instance, '--force-noninteractive', '--', ...argv];

  await create(instance);
  await create(other);
  answers['create, a name that is taken'] = await create(instance);
  answers['create, an unknown option'] = await create('cxt-third', { 'security.nosuch': 'x' });
  answers['create, a bad name'] = await create('cxt_third');
  await note('rename, a name that is taken', ['rename', instance, other, '--quiet']);
  await note('rename, nothing there', ['rename', 'cxt-nosuch', 'cxt-third', '--quiet']);

  // Stopped.
  await note('stop, stopped', ['stop', instance, '--quiet']);
  await note('restart, stopped', ['restart', instance, '--quiet']);
  await note('exec, stopped', inside('true'));
  await note('pause, stopped', ['pause', instance, '--quiet']);
  await note('pull, nothing there', ['file', 'pull', `${instance}/root/nosuch`, '-', '--quiet']);
  await note('patch, a bad value', patch({ config: { 'limits.processes': 'many' } }));
  await note('patch, a device without a type', patch({ devices: { x: { name: 'x' } } }));

  // Protected: by every word that means yes.
  for (const yes of ['true', '1', 'yes', 'on', 'TRUE']) {
    await run(patch({ config: { 'security.protection.delete': yes } }));
    await note(`delete, protected by ${yes}`, ['delete', instance, '--force', '--quiet']);
  }
  await run(patch({ config: { 'security.protection.delete': 'maybe' } })).then(
    (answer) => (answers['protect, maybe'] = answer),
  );

  // Snapshots.
  const takeSnapshot = [
    'query',
    '--request',
    'POST',
    '--wait',
    '--data',
    '{"name":"one"}',
    `/1.0/instances/${instance}/snapshots`,
  ];
  await run(takeSnapshot);
  await note('snapshot, a name that is taken', takeSnapshot);
  await note('snapshot restore, nothing there', ['snapshot', 'restore', instance, 'nosuch', '--quiet']);
  await note('snapshot delete, nothing there', ['snapshot', 'delete', instance, 'nosuch', '--quiet']);
  await note('snapshot rename, nothing there', ['snapshot', 'rename', instance, 'nosuch', 'two', '--quiet']);
  await note('copy, a name that is taken', ['copy', `${instance}/one`, other, '--quiet']);
  await note('copy, nothing there', ['copy', `${instance}/nosuch`, 'cxt-third', '--quiet']);

  // Running.
  await run(['start', instance, '--quiet']);
  await booted(incusBy(runner), instance);
  await note('start, running', ['start', instance, '--quiet']);
  await note('rename, running', ['rename', instance, 'cxt-third', '--quiet']);
  await note('delete, running', ['delete', instance, '--quiet']);
  await note('publish, running', ['publish', instance, '--alias', 'cxt-image', '--quiet']);

  // Programs inside.
  await note('inside: a program that is not there', inside('nosuchprogram'));
  await note('inside: false', inside('false'));
  await note('inside: a user who is not there', inside('getent', 'passwd', 'nosuchuser'));
  await note('inside: a user who is there', inside('getent', 'passwd', 'root'));
  await note('inside: a file that is not there', inside('test', '-e', '/nosuch'));
  await note('inside: cat of nothing', inside('cat', '/nosuch'));
  await note('inside: a unit that is not there', inside('systemctl', 'is-active', 'nosuch.service'));
  await note('inside: enabling a unit that is not there', inside('systemctl', 'enable', '--quiet', 'nosuch.service'));
  await note('inside: a user who is made twice', inside('useradd', 'root'));

  await note('inside: a package without a network', inside('apt-get', 'install', '--yes', '--quiet', 'nosuchpackage'));

  // A pause. Incus starts what is paused.
  await note('pause', ['pause', instance, '--quiet']);
  await state('paused');
  await note('pause, paused', ['pause', instance, '--quiet']);
  await note('exec, paused', inside('true'));
  await note('start, paused', ['start', instance, '--quiet']);
  await state('going on');

  // A container that does not go down by itself.
  await run(inside('systemctl', 'mask', '--quiet', 'halt.target', 'poweroff.target', 'reboot.target'));
  await note('stop, ignored', ['stop', instance, '--timeout', '1', '--quiet']);
  await note('restart, ignored', ['restart', instance, '--timeout', '1', '--quiet']);
  await state('still running');
  await note('restart by force', ['restart', instance, '--force', '--quiet']);
  await state('restarted');
  await run(['pause', instance, '--quiet']);
  await note('stop, paused', ['stop', instance, '--timeout', '1', '--quiet']);
  await note('restart, paused', ['restart', instance, '--timeout', '1', '--quiet']);
  await state('still paused');

  // Deleted by force, but protected: it is stopped all the same.
  await note('delete, running and protected', ['delete', instance, '--force', '--quiet']);
  await state('stopped on the way');
  await run(patch({ config: { 'security.protection.delete': '' } }));
  await note('delete, unprotected', ['delete', instance, '--force', '--quiet']);
  await note('delete, nothing there', ['delete', instance, '--force', '--quiet']);
  await run(['delete', other, '--force', '--quiet']);
  return answers;
}

/** Returns the answers that every host must give. `UPDATE_CONTRACT=yes` rewrites them from the real host. */
export async function expectedRefusals(answers: Refusals, mayUpdate: boolean): Promise<Refusals> {
  if (mayUpdate && process.env['UPDATE_CONTRACT'] === 'yes')
    await writeFile(path, `${JSON.stringify(answers, undefined, 1)}\n`);
  return JSON.parse(await readFile(path, 'utf8')) as Refusals;
}
