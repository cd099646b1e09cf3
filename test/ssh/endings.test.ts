/** The end of a login from outside: no client loses its exit status or its last output by it. */
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { adminOf } from '../support/front.ts';
import { makeKey } from '../support/keys.ts';
import { boolean, message, RawClient, string, uint32 } from '../support/rawClient.ts';
import { eventually, startServer, temporaryFolder, type TestServer } from '../support/server.ts';
import { openShell } from '../support/shell.ts';
import { startSlowServer } from '../support/slowServer.ts';

/** Pipes a command into a reader that begins when it finds a line on standard input, and exits with its status. */
const readLater = ['-c', 'set -o pipefail; exec 3<&0; "$@" </dev/null | { read -r -u 3; cat; }', 'bash'];

/** How long the reader waits after the login has been ended, in milliseconds. OpenSSH closes no channel meanwhile. */
const lateMs = 5000;

describe.each<readonly [string, (server: TestServer) => Promise<unknown>]>([
  ['a server that stops', (server) => server.stop()],
  ['an admin who ends the login', (server) => server.local(['session', 'kick', 'tester'])],
])('the stock client with a slow reader, at %s', (_, end) => {
  test('writes all output, and exits with the status of its command', async () => {
    const server = await startServer();
    const client = execa('bash', [...readLater, 'ssh', '-v', ...server.sshArguments(), 'help', '--json'], {
      reject: false,
    });
    let said = '';
    client.stderr.on('data', (piece: Buffer) => (said += piece.toString()));
    await eventually(() => said.includes('rtype exit-status') || undefined, 'the status of the command');
    const ended = end(server);
    await new Promise((resolve) => setTimeout(resolve, lateMs));
    client.stdin.write('\n');
    const { exitCode, stdout } = await client;
    expect(exitCode, said).toBe(0);
    expect(said).not.toContain('Received disconnect');
    expect(JSON.parse(stdout)).toMatchObject({ ok: true });
    await ended;
  });
});

test('A client that has closed its channel hangs up before the server disconnects it', async () => {
  const server = await startServer();
  const client = await RawClient.login(server.port, await adminOf(server));
  const channel = await client.openShell();
  const stopped = server.stop();
  await client.take(message.channelClose);
  client.send(message.channelClose, uint32(channel));
  for (let i = 0; i < 3; i++) {
    client.send(message.globalRequest, string('keepalive@openssh.com'), boolean(true));
    await client.take(message.requestFailure, message.requestSuccess);
  }
  expect(client.received.map(([type]) => type)).not.toContain(message.disconnect);
  client.destroy();
  expect(await stopped).toBe(0);
});

test('A client whose window stays closed does not keep the channel of a shell that was idle', async () => {
  const server = await startServer({ config: { ssh: { idleMs: 5000 } } });
  const client = await RawClient.login(server.port, await adminOf(server));
  const channel = await client.openShell({ window: 4096 });
  // More than the window holds: the goodbye can never be sent.
  client.send(message.channelData, uint32(channel), string('help\r'));
  await eventually(
    () => client.received.some(([type]) => type === message.channelClose) || undefined,
    'the end of the channel',
  );
  expect(client.closed).toBe(false);
});

test('A change whose login is ended exits with 6, says where to find it, and goes on to its end', async () => {
  const key = await makeKey(await temporaryFolder(), 'alice');
  const server = await startSlowServer(5000, { user: 'first', line: key.line });
  const running = server.startSsh(['create', 'alice'], { stdin: key.line });
  let said = '';
  running.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await eventually(() => said.includes('[1/') || undefined, 'its first step');
  const kicked = await server.local(['session', 'kick', 'tester']);
  expect(kicked.code, kicked.stderr + said).toBe(0);
  expect((await running).exitCode, said).toBe(6);
  expect(said).toContain('The session ends: ended by');
  expect(said).toContain('The command may still run: "who" shows it while it does, and your next shell how it ended.');
  expect((await server.local(['who', '--json'])).stdout).toContain('"create"');
  const list = async (): Promise<string> => (await server.local(['list', '--user', 'alice', '--json'])).stdout;
  await eventually(async () => (await list()).includes('"ready"') || undefined, 'its end', 60_000);
  const shell = await openShell(server);
  await shell.said(/create alice/);
  expect((await server.local(['reconcile'])).code).toBe(0);
}, 120_000);

test('A change begun in a shell whose window never opens goes on when its login is ended', async () => {
  const key = await makeKey(await temporaryFolder(), 'alice');
  const server = await startSlowServer(5000, { user: 'alice', line: key.line });
  const client = await RawClient.login(server.port, await adminOf(server));
  const channel = await client.openShell({ window: 4096 });
  client.send(message.channelData, uint32(channel), string('help\r'));
  client.send(message.channelData, uint32(channel), string('stop alice\r'));
  const told = async (): Promise<string> => (await server.local(['who', '--json'])).stdout;
  await eventually(async () => (await told()).includes('"stop"') || undefined, 'its begin');
  expect((await server.local(['session', 'kick', 'tester'])).code).toBe(0);
  await client.ends();
  const list = async (): Promise<string> => (await server.local(['list', '--user', 'alice', '--json'])).stdout;
  await eventually(async () => (await list()).includes('"stopped"') || undefined, 'its end', 60_000);
}, 120_000);
