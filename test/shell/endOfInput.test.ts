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

test('a question at the end of input counts as unanswered, and the shell ends', async () => {
  const { code, stdout } = await server.ssh([], { tty: true, stdin: 'create carol\r' });
  expect(stdout).toContain('public key');
  expect(code).toBe(9);
});

test('a change whose connection is lost is found by who and by the next shell', async () => {
  const shell = await openShell(server);
  shell.type(`create dave --ssh-key "${key.line.trim()}"\r`);
  await shell.shows(/\[1\/7\]/);
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
