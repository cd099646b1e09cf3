import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { debianVersionOf, flavourOf } from '../../../src/host/kernelRelease.ts';
import { Packages, parsePolicies } from '../../../src/host/packages.ts';
import type { Command, Output, Runner } from '../../../src/host/runner.ts';

const runner = (answer: (command: Command) => Partial<Output>): Runner => ({
  run: (command) => Promise.resolve({ stdout: '', stderr: '', exitCode: 0, ...answer(command) }),
});

describe('parsePolicies', () => {
  it('reads the installed version and the candidate of each package', () => {
    const text = [
      'incus-base:',
      '  Installed: 6.0.4-2+deb13u7~bpo12+1',
      '  Candidate: 6.0.4-2+deb13u8~bpo12+1',
      '  Version table:',
      ' *** 6.0.4-2+deb13u7~bpo12+1 100',
      '        100 /var/lib/dpkg/status',
      'nodejs:amd64:',
      '  Installed: (none)',
      '  Candidate: (none)',
      '  Version table:',
      '',
    ].join('\n');
    expect(parsePolicies(text)).toEqual(
      new Map([
        ['incus-base', { installed: '6.0.4-2+deb13u7~bpo12+1', candidate: '6.0.4-2+deb13u8~bpo12+1' }],
        ['nodejs', { installed: null, candidate: null }],
      ]),
    );
    expect(parsePolicies('N: Unable to locate package x\n')).toEqual(new Map());
  });
});

describe('Packages', () => {
  it('compares versions with dpkg, and rejects if dpkg does', async () => {
    const commands: (readonly string[])[] = [];
    const packages = new Packages(
      runner(({ args, allowExit }) => {
        commands.push(args);
        expect(allowExit).toEqual([0, 1]);
        return { exitCode: args[1] === '1' ? 0 : 1 };
      }),
    );
    expect(await packages.isOlder('1', '2')).toBe(true);
    expect(await packages.isOlder('2', '1')).toBe(false);
    expect(commands[0]).toEqual(['--compare-versions', '1', 'lt', '2']);
  });

  it('lists the installed kernels of one flavour', async () => {
    const stdout = [
      'linux-image-6.1.0-40-amd64\t6.1.153-1\tii ',
      'linux-image-6.1.0-41-amd64-unsigned\t6.1.158-1\tii ',
      'linux-image-6.1.0-39-amd64\t6.1.148-1\trc ',
      'linux-image-6.1.0-40-cloud-amd64\t6.1.153-1\tii ',
      'linux-image-6.1.0-40-rt-arm64\t6.1.153-1\tii ',
      'linux-image-amd64\t6.1.158-1\tii ',
    ].join('\n');
    const packages = new Packages(runner(() => ({ stdout })));
    expect((await packages.kernels('amd64')).map(({ version }) => version)).toEqual(['6.1.153-1', '6.1.158-1']);
  });

  it('finds the package that a file belongs to', async () => {
    const owner = (stdout: string) => new Packages(runner(() => ({ stdout }))).ownerOf('/usr/bin/node');
    expect(await owner('nodejs:amd64: /usr/bin/node\n')).toBe('nodejs');
    expect(await owner('nodejs: /usr/bin/node\n')).toBe('nodejs');
    expect(await owner('')).toBeUndefined();
  });
});

describe('the age of the package lists', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'containarium-lists-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is that of the newest trace of apt-get update, or unknown without one', async () => {
    const [stamp, lists] = [join(folder, 'stamp'), join(folder, 'lists')];
    const packages = new Packages(
      runner(() => ({})),
      [stamp, lists],
    );
    expect(await packages.listsReadAt()).toBeUndefined();
    await writeFile(lists, '');
    await utimes(lists, 1000, 1000);
    expect(await packages.listsReadAt()).toEqual(new Date(1_000_000));
    await writeFile(stamp, '');
    await utimes(stamp, 2000, 2000);
    expect(await packages.listsReadAt()).toEqual(new Date(2_000_000));
  });
});

describe('the name of a kernel', () => {
  it.each([
    ['6.1.0-40-amd64', 'amd64'],
    ['6.1.0-40-cloud-amd64', 'cloud-amd64'],
    ['6.12.48+deb13-amd64', 'amd64'],
    ['6.12.9+bpo-rt-amd64', 'rt-amd64'],
    ['6.8.0-124-generic', 'generic'],
    ['6.18.44', undefined],
  ])('has a flavour: %s', (release, flavour) => {
    expect(flavourOf(release)).toBe(flavour);
  });

  it('names the package version of a Debian kernel', () => {
    const version = '#1 SMP PREEMPT_DYNAMIC Debian 6.1.153-1 (2025-09-20)';
    expect(debianVersionOf({ release: '', version })).toBe('6.1.153-1');
    expect(debianVersionOf({ release: '', version: '#45-Ubuntu SMP PREEMPT_DYNAMIC' })).toBeUndefined();
  });
});
