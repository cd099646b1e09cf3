/** The command line from elsewhere: the same verbs, answers and exit codes as on the host. */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import { startRemoteServer, runRemotely, type RemoteTestServer } from '../support/remote/server.ts';
import { repository, temporaryFolder } from '../support/server.ts';
import { openTerminal } from '../support/terminal.ts';

let house: RemoteTestServer;
let key: TestKey;

beforeAll(async () => {
  house = await startRemoteServer();
  key = await makeKey(await temporaryFolder(), 'alice');
});

test('create, list and delete work as on the host', async () => {
  const created = await house.remote(['create', 'alice'], { stdin: key.line });
  expect(created, created.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('alice-container') });
  // The steps arrive while the verb runs.
  expect(created.stderr).toMatch(/\[1\/\d\] /);
  const there = await house.remote(['list', '--json']);
  const here = await house.server.local(['list', '--json']);
  // What the container uses, and when that was measured, is different each time.
  const changing = /"(\w+Used\w+|processes|measuredAt)": *(?:\d+|"[^"]*")/g;
  const steady = (text: string): unknown => JSON.parse(text.replaceAll(changing, '"$1":0'));
  expect(steady(there.stdout)).toEqual(steady(here.stdout));
  expect(await house.remote(['delete', 'alice'])).toMatchObject({ code: 2 });
  expect(await house.remote(['delete', 'alice', '--yes'])).toMatchObject({ code: 0 });
});

test('several containers are changed in one call, as on the host', async () => {
  for (const user of ['blue-1', 'blue-2'])
    expect((await house.remote(['create', user, '--label', 'team=blue'], { stdin: key.line })).code).toBe(0);
  const stopped = await house.remote(['stop', '--label', 'team=blue', '--state', 'running']);
  expect(stopped).toMatchObject({ code: 0, stdout: expect.stringMatching(/^2 containers: all done$/m) });
  expect(await house.remote(['start', 'blue-1', 'nobody'])).toMatchObject({
    code: 6,
    stdout: expect.stringMatching(/^2 containers: 1 done, 1 failed$/m),
  });
  expect(await house.remote(['delete', 'blue-1', 'blue-2'])).toMatchObject({ code: 2 });
  expect(await house.remote(['delete', 'blue-1', 'blue-2', '--yes'])).toMatchObject({ code: 0 });
});

test.each([
  [['info', 'nobody'], 3, /no such container/],
  [['create', 'Bad Name'], 2, /invalid-user|user name/i],
  [['no-such-verb'], 2, /unknown|no such verb/i],
])('%j ends with the exit code of the host, %i', async (words, code, text) => {
  const there = await house.remote(words);
  const here = await house.server.local(words);
  expect(there.code).toBe(code);
  expect(here.code).toBe(code);
  expect(there.stderr + there.stdout).toMatch(text);
});

test('a failure with --json is one document on standard output', async () => {
  const { code, stdout } = await house.remote(['info', 'nobody', '--json']);
  expect(code).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: 'not-found' } });
});

test('whoami names the admin of the certificate and the way in', async () => {
  const { result } = JSON.parse((await house.remote(['whoami', '--json'])).stdout) as { result: object };
  expect(result).toMatchObject({ name: 'tester', role: 'admin', entryPoint: 'remote', certificate: { ca: 'remote' } });
});

test('a server that is not there, and certificates that are not there, are said', async () => {
  const nobody = await runRemotely('127.0.0.1:1', ['list'], { certificates: house.certificates });
  expect(nobody).toMatchObject({ code: 8, stderr: expect.stringContaining('no connection') });
  const none = await house.remote(['list'], { certificates: await temporaryFolder() });
  expect(none).toMatchObject({ code: 2, stderr: expect.stringMatching(/ca\.crt.*cert issue/s) });
});

test('logs --follow shows what comes, until Ctrl-C', async () => {
  expect((await house.remote(['create', 'logged'], { stdin: key.line })).code).toBe(0);
  const child = execa(
    process.execPath,
    [
      ...[join(repository, 'dist', 'main.js'), 'logs', 'logged', '--follow'],
      ...['--server', house.address, '--certs-dir', house.certificates],
    ],
    { reject: false, stdin: 'ignore' },
  );
  let shown = '';
  child.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()));
  await eventually(() => (shown.length > 0 ? true : undefined), 'the console log');
  child.kill('SIGINT');
  expect((await child).exitCode).toBe(0);
});

test('a change whose client goes away is finished', async () => {
  const child = execa(
    process.execPath,
    [
      ...[join(repository, 'dist', 'main.js'), 'create', 'left'],
      ...['--server', house.address, '--certs-dir', house.certificates],
    ],
    { reject: false, input: key.line },
  );
  let shown = '';
  child.stderr.on('data', (chunk: Buffer) => (shown += chunk.toString()));
  await eventually(() => (shown.includes('[1/') ? true : undefined), 'the first step');
  child.kill('SIGKILL');
  await eventually(
    async () => ((await house.server.local(['list', '--json'])).stdout.includes('"left"') ? true : undefined),
    'the container',
  );
});

test('files that the command line names are read and written on the laptop', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'bob.pub'), key.line);
  const created = await house.remote(['create', 'bob', '--ssh-key', join(folder, 'bob.pub')]);
  expect(created, created.stderr).toMatchObject({ code: 0 });
  expect(await house.remote(['create', 'carol', '--ssh-key', join(folder, 'none.pub')])).toMatchObject({
    stderr: expect.stringContaining('it does not exist'),
  });
  const output = join(folder, 'jump.conf');
  const exported = await house.remote(['export', 'bob', '--output', output]);
  expect(exported, exported.stderr).toMatchObject({ code: 0, stdout: '' });
  expect(await readFile(output, 'utf8')).toContain('Host bob');
  expect((await stat(output)).mode & 0o777).toBe(0o600);
});

describe('a person at a terminal', () => {
  const open = (...words: string[]) =>
    openTerminal([
      ...[process.execPath, join(repository, 'dist', 'main.js'), ...words],
      ...['--server', house.address, '--certs-dir', house.certificates],
    ]);

  test('is asked for the name, and sees the steps', async () => {
    expect((await house.remote(['create', 'asked'], { stdin: key.line })).code).toBe(0);
    const terminal = await open('delete', 'asked');
    await terminal.shows(/Type "asked" to continue:/);
    await terminal.type('asked', 'Enter');
    await terminal.shows(/✓ \[1\/\d\]/);
    await terminal.shows(/Container asked-container and jump account asked deleted/);
  });

  test('ends a question with Ctrl-C, and nothing is changed', async () => {
    expect((await house.remote(['create', 'kept'], { stdin: key.line })).code).toBe(0);
    const terminal = await open('delete', 'kept');
    await terminal.shows(/Type "kept" to continue:/);
    await terminal.type('', 'C-c');
    await terminal.shows(/not answered; nothing was changed/);
    expect((await house.remote(['info', 'kept'])).code).toBe(0);
  });

  test('cancels a create with Ctrl-C, and sees its undo', async () => {
    expect((await house.remote(['image', 'build'])).code).toBe(0);
    const faults = [{ match: { program: 'incus', argIncludes: 'start' }, mode: 'hang' }];
    await writeFile(join(house.server.home, 'state', 'simulated-faults.json'), JSON.stringify(faults));
    const terminal = await open('create', 'cut', '--ssh-key', key.line.trim());
    await terminal.shows(/\[2\/5\] Starting container/);
    await terminal.type('', 'C-c');
    await terminal.shows(/Undoing: deleting the container/);
    await terminal.shows(/it was cancelled, and what it had done was undone/);
    await writeFile(join(house.server.home, 'state', 'simulated-faults.json'), '[]');
    expect((await house.remote(['info', 'cut'])).code).toBe(3);
  });

  test('ends standard input with Ctrl-C', async () => {
    const terminal = await open('create', 'pasted');
    await terminal.shows(/Paste .* end with Ctrl-D:/);
    await terminal.type('', 'C-c');
    await terminal.shows(/interrupted; nothing was changed/);
    expect((await house.remote(['info', 'pasted'])).code).toBe(3);
  });
});

test('help says which verbs the remote interface refuses', async () => {
  const { stdout } = await house.remote(['help']);
  expect(stdout).toMatch(/^Over ssh only, unless the server has remote\.accessVerbs: .*\bkey add\b.*\badmin add\b/m);
});

test('help names the command as the caller types it', async () => {
  const { stdout } = await house.remote(['help', 'create']);
  expect(stdout).toContain(`containarium --server ${house.address} create`);
});
