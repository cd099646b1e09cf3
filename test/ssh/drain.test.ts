/**
 * The end of a busy server: it notifies its users, finishes the running operations, and leaves no session hanging (65,
 * L32).
 */
import { expect, test } from 'vitest';
import { adminOf, frontOf } from '../support/front.ts';
import { makeKey } from '../support/keys.ts';
import { boolean, message, RawClient, string, uint32 } from '../support/rawClient.ts';
import { eventually, startServer, temporaryFolder } from '../support/server.ts';
import { startSlowServer } from '../support/slowServer.ts';

test('SIGTERM with 20 shells and 3 running changes notifies the shells, finishes the changes, and exits with 0', async () => {
  const key = await makeKey(await temporaryFolder(), 'user');
  const server = await startSlowServer(1500, { user: 'first', line: key.line });
  const admin = await adminOf(server);
  const shells = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const client = await RawClient.login(server.port, admin);
      await client.openShell();
      return client;
    }),
  );
  const silent = await RawClient.connect(server.port);
  const running = ['one', 'two', 'three'].map((user) => server.startSsh(['create', user], { stdin: key.line }));
  // On a busy machine the first may be done before the third begins.
  await eventually(
    async () =>
      ((await server.local(['list', '--json'])).stdout.match(/"user": *"(?:one|two|three)"/g) ?? []).length === 3
        ? true
        : undefined,
    'three creates',
  );
  const stopped = server.stop();
  // While the server waits for the changes, it accepts new logins and notifies them.
  const late = await server.ssh(['create', 'late', '--json'], { stdin: key.line });
  if (late.code !== 255) expect(JSON.parse(late.stdout)).toMatchObject({ ok: false, error: { code: 'shutting-down' } });
  expect(await stopped).toBe(0);
  for (const done of await Promise.all(running)) expect(done.exitCode, done.stderr).toBe(0);
  for (const client of shells) {
    await client.ends();
    expect(client.output()).toMatch(/The session ends: /);
    // The shell is not cut off: it has an exit code, and its channel is closed.
    expect(client.received.map(([type]) => type)).toContain(message.channelClose);
  }
  await silent.ends();
  await server.restart();
  expect((await server.ssh(['audit', 'verify'])).code).toBe(0);
  expect((await server.ssh(['reconcile'])).code).toBe(0);
  const { stdout } = await server.ssh(['list', '--format', 'csv', '--columns', 'user']);
  expect(stdout.trim().split('\n').sort()).toEqual(['first', 'one', 'three', 'two', 'user']);
}, 120_000);

test('The log of a server that ran a shell has no escape sequence of the shell when the server stops', async () => {
  const server = await startServer();
  const client = await RawClient.login(server.port, await adminOf(server));
  await client.openShell();
  expect(await server.stop()).toBe(0);
  await client.ends();
  expect(server.log()).not.toMatch(/\x1b|\\u\{?(00)?1b/i);
}, 60_000);

test('A stopping server disconnects a client only after the client has closed its channel', async () => {
  const server = await startServer();
  const client = await RawClient.login(server.port, await adminOf(server));
  const channel = await client.openShell();
  const stopped = server.stop();
  await client.take(message.channelClose);
  // A disconnect sent with the end of the channel would come before the answer to this request.
  client.send(message.globalRequest, string('keepalive@openssh.com'), boolean(true));
  await client.take(message.requestFailure, message.requestSuccess);
  expect(client.received.map(([type]) => type)).not.toContain(message.disconnect);
  client.send(message.channelClose, uint32(channel));
  await client.take(message.disconnect);
  await client.ends();
  expect(await stopped).toBe(0);
}, 60_000);

/** Starts a server with one container and a client that follows its console log. */
async function followedServer() {
  const server = await startServer();
  const key = await makeKey(await temporaryFolder(), 'user');
  expect((await server.ssh(['create', 'alice'], { stdin: key.line })).code).toBe(0);
  const client = server.startSsh(['logs', 'alice', '--follow']);
  await new Promise<void>((resolve) => client.stdout.once('data', () => resolve()));
  return { server, client };
}

test('Ctrl-C in the terminal of a server, which reaches all its processes, stops it as SIGTERM does', async () => {
  const { server, client } = await followedServer();
  for (const pid of [await frontOf(server), server.pid]) process.kill(pid, 'SIGINT');
  const { exitCode, stderr } = await client;
  expect(stderr).toMatch(/The session ends: the server is stopping/);
  expect(exitCode).toBe(0);
  expect(await server.stop()).toBe(0);
}, 60_000);

test('A server stops although its front died while a client followed a log', async () => {
  const { server, client } = await followedServer();
  process.kill(await frontOf(server), 'SIGKILL');
  expect((await client).exitCode).toBe(255);
  expect(await server.stop()).toBe(0);
}, 60_000);
