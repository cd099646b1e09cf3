/** A terminal session over the remote interface: a program in the container has the terminal of the laptop. */
import { execa } from 'execa';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { makeKey } from '../support/keys.ts';
import { connectClient } from '../support/remote/client.ts';
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

test('the end of what a client sends is a Ctrl-D for the program', async () => {
  const client = await connectClient(house.address, house.certificates, 'VerbService');
  const stream = client['Terminal']?.();
  const results: string[] = [];
  let printed = '';
  stream.on('data', ({ terminal, result }: { terminal?: Buffer; result?: { result_json: string } }) => {
    if (terminal !== undefined) printed += terminal.toString();
    if (result) results.push(result.result_json);
  });
  const ended = new Promise<void>((resolve) => void stream.once('end', () => resolve()));
  stream.write({ call: { request: { verb: 'shell', input_json: '{"user":"alice"}' }, type: 'xterm' } });
  stream.write({ typed: Buffer.from('echo typed  words\n') });
  stream.end();
  await ended;
  expect(printed).toContain('typed words');
  expect(results.map((json) => JSON.parse(json) as unknown)).toMatchObject([{ exitStatus: 0 }]);
  client.close();
});

test('shell without a terminal is refused before anything is sent', async () => {
  expect(await house.remote(['shell', 'alice'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('it needs a terminal'),
  });
});
