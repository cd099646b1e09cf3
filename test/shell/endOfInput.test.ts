/** Shells whose input ends by itself, as in `ssh -tt … < file`: what their user began is not cut. */
import { beforeAll, expect, test } from 'vitest';
import { makeKey, type TestKey } from '../support/keys.ts';
import { eventually, startServer, temporaryFolder, type TestServer } from '../support/server.ts';
import { openShell } from '../support/shell.ts';

let server: TestServer;
let key: TestKey;

beforeAll(async () => {
  [server, key] = await Promise.all([
    startServer({ env: { CONTAINARIUM_SIMULATED_PACE_MS: '3500' } }),
    temporaryFolder().then((folder) => makeKey(folder, 'user')),
  ]);
  expect(await server.ssh(['create', 'alice'], { stdin: key.line })).toMatchObject({ code: 0 });
}, 120_000);

test.each([
  ['the shell', [], /Container \S*bob-container created/],
  ['screen-reader mode', ['plain'], /Container bob2-container created/],
])('a change typed in %s is answered, however long it takes, and the status is 0', async (_, command, created) => {
  const user = command.length === 0 ? 'bob' : 'bob2';
  const { code, stdout } = await server.ssh(command, {
    tty: true,
    stdin: `create ${user} --ssh-key "${key.line.trim()}"\n`,
  });
  expect(stdout).toMatch(created);
  expect(code).toBe(0);
});

test('a program in a container ends by itself after the end of its input', async () => {
  const { code, stdout } = await server.ssh(['shell', 'alice'], { tty: true, stdin: 'echo done\r' });
  expect(stdout).toContain('done');
  expect(code).toBe(0);
});

/** Removes control sequences. */
const plain = (text: string): string => text.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '');

const both = [
  ['the shell', []],
  ['screen-reader mode', ['plain']],
] as const;

test.each(both)('lines that come at once with exit are all answered in %s', async (_, command) => {
  for (const stdin of [
    'whoami\nlist\nexit\n',
    'list\rwhoami\rexit\r',
    'whoami\nlist\n\x04',
    'list\nwhoami',
    'list\nwhoami\n',
  ]) {
    const { stdout, code } = await server.ssh([...command], { tty: true, stdin });
    expect(plain(stdout), JSON.stringify(stdin)).toMatch(/Role: +admin/);
    expect(plain(stdout), JSON.stringify(stdin)).toMatch(/alice\S* .*Running/);
    expect(code).toBe(0);
  }
});

test.each(both)('lines that come at once run one after the other in %s', async (_, command) => {
  expect(await server.ssh(['start', 'alice'])).toMatchObject({ code: 0 });
  const { stdout, code } = await server.ssh([...command], { tty: true, stdin: 'stop alice\nstart alice\nexit\n' });
  expect(plain(stdout)).not.toMatch(/busy|Error/);
  expect(plain(stdout)).toMatch(/alice-container: Stopped[^]*alice-container: Running/);
  expect(code).toBe(0);
});

test.each(both)('the status of %s is that of the last command', async (_, command) => {
  expect(await server.ssh([...command], { tty: true, stdin: 'whoami\ninfo nobody\nexit\n' })).toMatchObject({
    code: 3,
  });
  expect(await server.ssh([...command], { tty: true, stdin: 'info nobody\nwhoami\n' })).toMatchObject({ code: 0 });
});

test.each(both)('a script is run line by line in %s, however long its commands take', async (_, command) => {
  const [one, two] = command.length === 0 ? ['erin', 'frank'] : ['erin2', 'frank2'];
  const create = (user: string): string => `create ${user} --ssh-key ${key.line.trim()}\n`;
  const { stdout, code } = await server.ssh([...command], {
    tty: true,
    stdin: `${create(one)}${create(two)}info ${two}\n${'whoami\n'.repeat(20)}`,
  });
  expect(stdout).toMatch(new RegExp(`${one}-container created[^]*${two}-container created[^]*Running`));
  expect(plain(stdout).match(/Role: +admin/g)?.length).toBe(20);
  expect(code).toBe(0);
});

test('exit waits for what runs, and a second exit leaves at once', async () => {
  const shell = await openShell(server);
  shell.type(`create gina --ssh-key "${key.line.trim()}"\r`);
  await shell.shows(/\[1\/5\] Creating container/);
  shell.type('exit\r');
  await shell.said(/Leaving when everything has ended\. "exit" or Ctrl-C again leaves at once/);
  shell.type('whoami\r');
  await shell.said('Not run, because this shell ends: whoami');
  expect(shell.isClosed).toBe(false);
  shell.type('exit\r');
  expect(await shell.ended()).toBe(6);
});

test('Ctrl-C leaves at once after Ctrl-D, and stops what only reads', async () => {
  const shell = await openShell(server);
  shell.type('logs alice --follow\r');
  await shell.shows(/Ctrl-C stops it/);
  shell.press('ctrl-d');
  await shell.said(/Leaving when everything has ended/);
  shell.press('ctrl-c');
  expect(await shell.ended()).toBe(0);
});

test('a question at the end of input counts as unanswered, and the shell ends', async () => {
  const { code, stdout } = await server.ssh([], { tty: true, stdin: 'create carol\r' });
  expect(stdout).toContain('public key');
  expect(code).toBe(9);
});

test('a change whose connection is lost is found by who and by the next shell', async () => {
  const shell = await openShell(server);
  shell.type(`create dave --ssh-key "${key.line.trim()}"\r`);
  await shell.shows(/\[1\/5\] Creating container/);
  shell.drop();
  const { stdout } = await server.ssh(['who']);
  expect(stdout).toMatch(/tester +create dave/);
  const next = await openShell(server);
  await next.shows(/tester: create dave/);
  await next.said(/tester: create dave: done in/);
  await eventually(
    async () => (/create dave/.test((await server.ssh(['who'])).stdout) ? undefined : true),
    'the end of the change',
  );
});
