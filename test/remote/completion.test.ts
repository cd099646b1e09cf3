/** Completion scripts, in the shell that they are for. */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeKey } from '../support/keys.ts';
import { startRemoteServer, type RemoteTestServer } from '../support/remote/server.ts';
import { repository, temporaryFolder } from '../support/server.ts';
import { openTerminal } from '../support/terminal.ts';

let house: RemoteTestServer;
let folder: string;

beforeAll(async () => {
  house = await startRemoteServer();
  folder = await temporaryFolder();
  const key = await makeKey(folder, 'alice');
  expect((await house.remote(['create', 'alice'], { stdin: key.line })).code).toBe(0);
  // The command as it is installed.
  await mkdir(join(folder, 'bin'));
  await writeFile(
    join(folder, 'bin', 'containarium'),
    `#!/bin/sh\nexec ${process.execPath} ${join(repository, 'dist', 'main.js')} "$@"\n`,
    { mode: 0o755 },
  );
  await symlink('/usr/bin/ssh', join(folder, 'bin', 'ssh'));
});

/** The environment of a person whose command line is for the server. */
function environment(): Record<string, string> {
  return {
    PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`,
    HOME: folder,
    CONTAINARIUM_SERVER: house.address,
    CONTAINARIUM_CERTS: house.certificates,
  };
}

/** Returns what bash offers for these words, the last of which is being typed. */
async function bash(words: readonly string[]): Promise<string[]> {
  const script = `
    source <(containarium completion bash)
    COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})
    COMP_CWORD=${words.length - 1}
    ${words[0] === 'ssh' ? '_containarium_ssh' : '_containarium'}
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await execa('bash', ['-c', script], { env: environment(), extendEnv: false });
  return stdout.split('\n').filter(Boolean);
}

describe('completion for bash', () => {
  test('completes verbs, their second words, flags and values', async () => {
    expect(await bash(['containarium', 'li'])).toEqual(['list']);
    expect(await bash(['containarium', 'cert', ''])).toEqual(expect.arrayContaining(['issue', 'list', 'revoke']));
    expect(await bash(['containarium', 'create', '--mem'])).toEqual(['--memory']);
    expect(await bash(['containarium', 'list', '--state', ''])).toEqual(['all', 'running', 'stopped']);
  });

  test('completes live names from the server', async () => {
    expect(await bash(['containarium', 'info', 'al'])).toEqual(['alice']);
  });

  test('completes after ssh -p 2222 manage@…, with the names of that server', async () => {
    const options = house.server.sshArguments();
    const at = options.findIndex((word) => word.startsWith('manage@'));
    expect(await bash(['ssh', ...options.slice(0, at + 1), 'info', 'al'])).toEqual(['alice']);
    expect(await bash(['ssh', ...options.slice(0, at + 1), ''])).toContain('create');
  });

  test('offers nothing, and says nothing, without a server', async () => {
    const { stdout, stderr } = await execa(
      process.execPath,
      [join(repository, 'dist', 'main.js'), '__complete', 'info', '', '--server', '127.0.0.1:1'],
      { env: { HOME: folder, CONTAINARIUM_CERTS: house.certificates }, extendEnv: false },
    );
    expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' });
  });
});

describe('completion for zsh', () => {
  /** Opens zsh without anybody's configuration, and loads the script as its head says. */
  async function zsh() {
    const variables = Object.entries(environment()).map(([name, value]) => `${name}=${value}`);
    const terminal = await openTerminal(['env', '-i', 'TERM=xterm', ...variables, 'zsh', '-f']);
    await terminal.type(
      'PS1="> "; autoload -Uz compinit; compinit -u -D; source <(containarium completion zsh)',
      'Enter',
    );
    await terminal.type('echo rea""dy', 'Enter');
    await terminal.shows(/^ready$/m);
    return terminal;
  }

  test('completes verbs, and live names from the server', async () => {
    const terminal = await zsh();
    await terminal.type('containarium inf', 'Tab');
    await terminal.shows(/> containarium info$/m);
    await terminal.type('al', 'Tab');
    await terminal.shows(/> containarium info alice$/m);
    await terminal.type('', 'Enter');
    await terminal.shows(/alice-container/);
  });

  test('completes after ssh manage@…', async () => {
    const options = house.server.sshArguments();
    const login = options.slice(0, options.findIndex((word) => word.startsWith('manage@')) + 1);
    const terminal = await zsh();
    await terminal.type(`clear; ssh ${login.join(' ')} info al`, 'Tab');
    await terminal.shows(/info\s+alice/);
  });
});

describe('completion for fish', () => {
  const fish = async (line: string): Promise<string[]> => {
    const script = `containarium completion fish | source; complete -C '${line}'`;
    const { stdout } = await execa('fish', ['--no-config', '-c', script], { env: environment(), extendEnv: false });
    return stdout.split('\n').map((each) => each.split('\t')[0] ?? '');
  };

  test('completes verbs, options, and live names from the server', async () => {
    expect(await fish('containarium inf')).toEqual(['info']);
    expect(await fish('containarium create --mem')).toEqual(['--memory']);
    expect(await fish('containarium info al')).toEqual(['alice']);
  });

  test('completes after ssh manage@…', async () => {
    const options = house.server.sshArguments();
    const login = options.slice(0, options.findIndex((word) => word.startsWith('manage@')) + 1);
    expect(await fish(`ssh ${login.join(' ')} info al`)).toContain('alice');
  });
});

test('a shell without a script is refused', async () => {
  const { exitCode, stderr } = await execa(
    process.execPath,
    [join(repository, 'dist', 'main.js'), 'completion', 'tcsh'],
    { reject: false },
  );
  expect(exitCode).toBe(2);
  expect(stderr).toContain('bash, zsh or fish');
});
