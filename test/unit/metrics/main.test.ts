/**
 * The process that answers /metrics, alone, with this test in core's place: what somebody gets who asks too much, too
 * often, or too slowly.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { bindPort } from '../../../src/core/front/listener.ts';

const entry = fileURLToPath(new URL('../../../src/metrics/main.ts', import.meta.url));

/** A process whose questions nobody answers. */
async function start(): Promise<number> {
  const listener = bindPort({ address: '127.0.0.1', port: 0 });
  const user = process.getuid?.() === 0 ? ['--uid=65534', '--gid=65534'] : [];
  const child = spawn(process.execPath, [entry, ...user], {
    stdio: ['pipe', 'pipe', 'ignore', listener.handle as 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
    listener.close();
  });
  const { port } = listener.where;
  await expect.poll(() => ask(port, '/'), { timeout: 20_000 }).toBe(404);
  return port;
}

/** The status of the answer, or that there was none. */
function ask(port: number, path: string): Promise<number | 'none'> {
  return new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.once('error', () => resolve('none'));
    asked.end();
  });
}

async function open(port: number, said = ''): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
  });
  await once(socket, 'connect');
  if (said !== '') socket.write(said);
  return socket;
}

it('has sixteen wait for an answer, and tells the others to come again', async () => {
  const port = await start();
  const refused: (number | 'none')[] = [];
  for (let i = 0; i < 20; i++) void ask(port, '/metrics').then((status) => refused.push(status));
  await expect.poll(() => refused.length, { timeout: 10_000 }).toBe(4);
  expect(refused).toEqual([503, 503, 503, 503]);
});

it('has thirty-two connections at a time', async () => {
  const port = await start();
  const sockets: Socket[] = [];
  // With the one from the start, which may not be gone yet, no more than are let in.
  for (let i = 0; i < 32; i++) sockets.push(await open(port));
  await expect.poll(() => ask(port, '/'), { timeout: 2000 }).toBe('none');
  for (const socket of sockets) socket.destroy();
  await expect.poll(() => ask(port, '/'), { timeout: 10_000 }).toBe(404);
});

it.each([
  ['says nothing', ''],
  ['never ends its header', 'GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n'],
])('closes a connection that %s', async (_, said) => {
  const socket = await open(await start(), said);
  await once(socket.resume(), 'close');
});
