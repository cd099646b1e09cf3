/** Completion scripts, in the shell that they are for. */
import { existsSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeKey } from '../support/keys.ts';
import { startRemoteServer, type RemoteTestServer } from '../support/remote/server.ts';
import { eventually, repository, temporaryFolder } from '../support/server.ts';
import { openTerminal, type Terminal } from '../support/terminal.ts';

/** After which time Tab is pressed again, in milliseconds: longer than a completion may take. */
const againMs = 8000;

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
  await symlink(house.certificates, join(folder, 'certs'));
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

/**
 * Presses keys, and again after a while, as a person does: a completion that takes too long gives nothing. Resolves
 * when the screen shows what is expected.
 */
async function pressUntil(terminal: Terminal, keys: readonly string[], expected: RegExp): Promise<void> {
  let pressedMs = -Infinity;
  const look = async (): Promise<true | undefined> => {
    if (expected.test(await terminal.screen())) return true;
    if (performance.now() - pressedMs < againMs) return undefined;
    await terminal.type('', ...keys);
    pressedMs = performance.now();
    return undefined;
  };
  await eventually(look, async () => `${expected} is completed; there is:\n${await terminal.screen()}`);
}

/** Opens bash without anybody's configuration, and loads the script as its head says. */
async function bash() {
  const variables = Object.entries(environment()).map(([name, value]) => `${name}=${value}`);
  const terminal = await openTerminal(['env', '-i', 'TERM=xterm', ...variables, 'bash', '--norc', '--noprofile']);
  await terminal.type('PS1="> "; source <(containarium completion bash); echo rea""dy', 'Enter');
  await terminal.shows(/^ready$/m);
  const completed = async (typed: string, keys: readonly string[], expected: RegExp): Promise<void> => {
    await terminal.type(`clear; ${typed}`);
    await pressUntil(terminal, keys, expected);
    // Unlike Ctrl-C, which a busy bash may handle after the keys that follow.
    await terminal.type('', 'C-u');
  };
  return {
    completes: (typed: string, expected: RegExp) => completed(typed, ['Tab'], expected),
    /** Waits until the choices are shown, which takes a second Tab. */
    offers: (typed: string, expected: RegExp) => completed(typed, ['Tab', 'Tab'], expected),
  };
}

describe('completion for bash', () => {
  test('completes verbs, their second words, flags and values', async () => {
    const { completes, offers } = await bash();
    await completes('containarium inf', /; containarium info$/m);
    await completes('containarium cert iss', /; containarium cert issue$/m);
    await offers('containarium cert ', /generate[^]*issue[^]*revoke/);
    await completes('containarium create --mem', /; containarium create --memory$/m);
    await completes('containarium list --state run', /; containarium list --state running$/m);
    await completes('containarium list --state=run', /; containarium list --state=running$/m);
  });

  test('completes live names from the server, also one that is named with its port', async () => {
    const { completes } = await bash();
    await completes('containarium info al', /; containarium info alice$/m);
    await completes(`containarium --server ${house.address} info al`, /info alice$/m);
    await completes(`containarium --server ${house.address} --certs-dir ~/certs info al`, /info alice$/m);
  });

  test('completes after ssh -p 2222 manage@…, with the names of that server', async () => {
    const options = house.server.sshArguments();
    const login = options.slice(0, options.findIndex((word) => word.startsWith('manage@')) + 1);
    const { completes } = await bash();
    await completes(`ssh ${login.join(' ')} info al`, /info alice$/m);
    await completes(`ssh ${login.join(' ')} resi`, /\bresize$/m);
  });

  test('completes the options of the client, and its servers', async () => {
    await mkdir(join(folder, '.config', 'containarium'), { recursive: true });
    await writeFile(
      join(folder, '.config', 'containarium', 'config.yaml'),
      `servers: {berlin: {address: '${house.address}'}}\n`,
    );
    const { completes } = await bash();
    await completes('containarium list --o', /; containarium list --on$/m);
    await completes('containarium list --on ber', /; containarium list --on berlin$/m);
    await completes('containarium --on ber', /; containarium --on berlin$/m);
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

// The host tests' packages have both shells; a machine without them skips these.
describe.skipIf(!existsSync('/usr/bin/zsh'))('completion for zsh', () => {
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
    await terminal.type('containarium inf');
    await pressUntil(terminal, ['Tab'], /> containarium info$/m);
    await terminal.type('al');
    await pressUntil(terminal, ['Tab'], /> containarium info alice$/m);
    await terminal.type('', 'Enter');
    await terminal.shows(/alice-container/);
  });

  test('completes after ssh manage@…', async () => {
    const options = house.server.sshArguments();
    const login = options.slice(0, options.findIndex((word) => word.startsWith('manage@')) + 1);
    const terminal = await zsh();
    await terminal.type(`clear; ssh ${login.join(' ')} info al`);
    await pressUntil(terminal, ['Tab'], /info\s+alice/);
  });
});

describe.skipIf(!existsSync('/usr/bin/fish'))('completion for fish', () => {
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
