/** The process that answers /metrics, with this test in core's place: clients that ask too often or too slowly. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { bindPort } from '../../../src/core/processes/listener.ts';

const entry = fileURLToPath(new URL('../../../src/metrics/main.ts', import.meta.url));

/** Starts the process, and never answers its requests. Returns its port. */
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

/** Returns the status of the answer, or 'none' without an answer. */
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

async function open(port: number, sent = ''): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
  });
  await once(socket, 'connect');
  if (sent !== '') socket.write(sent);
  return socket;
}

it('the metrics process lets sixteen requests wait for an answer, and answers the others with 503', async () => {
  const port = await start();
  const refused: (number | 'none')[] = [];
  for (let i = 0; i < 20; i++) void ask(port, '/metrics').then((status) => refused.push(status));
  await expect.poll(() => refused.length, { timeout: 10_000 }).toBe(4);
  expect(refused).toEqual([503, 503, 503, 503]);
});

it('the metrics process accepts thirty-two connections at a time', async () => {
  const port = await start();
  const sockets: Socket[] = [];
  // The connection of `start` may still be open, in which case one of these is not accepted.
  for (let i = 0; i < 32; i++) sockets.push(await open(port));
  await expect.poll(() => ask(port, '/'), { timeout: 2000 }).toBe('none');
  for (const socket of sockets) socket.destroy();
  await expect.poll(() => ask(port, '/'), { timeout: 10_000 }).toBe(404);
});

it.each([
  ['sends nothing', ''],
  ['never ends its header', 'GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n'],
])('the metrics process closes a connection that %s', async (_, sent) => {
  const socket = await open(await start(), sent);
  await once(socket.resume(), 'close');
});
