/** A terminal session over the remote interface: a program in the container has the terminal of the laptop. */
import { execa } from 'execa';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { makeKey } from '../support/keys.ts';
import { startRemoteServer, type RemoteTestServer } from '../support/remote/server.ts';
import { repository, temporaryFolder } from '../support/server.ts';

let house: RemoteTestServer;

beforeAll(async () => {
  house = await startRemoteServer();
  const key = await makeKey(await temporaryFolder(), 'alice');
  expect((await house.remote(['create', 'alice'], { stdin: key.line })).code).toBe(0);
});

test('shell runs a program in the container and passes its exit status on', async () => {
  const command = [
    ...[process.execPath, join(repository, 'dist', 'main.js'), 'shell', 'alice'],
    ...['--server', house.address, '--certs-dir', house.certificates],
  ].join(' ');
  // script(1) of util-linux gives it a terminal.
  const { stdout, exitCode } = await execa('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    input: 'id -un\nexit 7\n',
    reject: false,
    timeout: 30_000,
  });
  expect(stdout).toContain('alice');
  expect(exitCode).toBe(7);
});

test('shell without a terminal is refused before anything is sent', async () => {
  expect(await house.remote(['shell', 'alice'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('it needs a terminal'),
  });
});
