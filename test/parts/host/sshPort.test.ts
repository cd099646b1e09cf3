/** What a knock at a port tells, with real sockets. */
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { RealSshPort } from '../../../src/host/sshPort.ts';
import type { Command } from '../../../src/host/runner.ts';

const servers: Server[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

/** Starts a server that does this with a connection, and returns its port. */
async function serve(answer: (socket: Socket) => unknown): Promise<number> {
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    answer(socket);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const noRunner = { run: () => Promise.reject(new Error('no program')) };
const knock = (port: number, bannerMs?: number) =>
  new RealSshPort(noRunner, { port, ...(bannerMs === undefined ? {} : { bannerMs }) }).knock('127.0.0.1', 50);

describe('a knock', () => {
  it('tells the banner of an SSH server', async () => {
    expect(await knock(await serve((socket) => socket.write('SSH-2.0-OpenSSH_9.2p1\r\n')))).toBe('banner');
  });

  it('tells a port that nothing listens on', async () => {
    const port = await serve(() => undefined);
    await new Promise((resolve) => servers.pop()?.close(resolve));
    expect(await knock(port)).toBe('refused');
  });

  it.each<[string, (socket: Socket) => void]>([
    ['hangs up', (socket) => socket.end()],
    ['resets', (socket) => socket.resetAndDestroy()],
    ['says something else', (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n')],
  ])('takes a server that %s for no sshd', async (_, answer) => {
    expect(await knock(await serve(answer))).not.toBe('banner');
  });

  it('waits for the banner of an sshd that takes its time, as on a busy host', async () => {
    const slow = (socket: Socket): unknown => setTimeout(() => socket.write('SSH-2.0-OpenSSH_9.2p1\r\n'), 500);
    expect(await knock(await serve(slow))).toBe('banner');
    expect(sockets).toHaveLength(1);
  });

  it('gets no answer where no way leads', async () => {
    // Broadcast: the kernel makes no connection to it.
    expect(await new RealSshPort(noRunner).knock('255.255.255.255', 50)).toBe('silent');
  });

  it('gives up on a server that says nothing, and closes its connection', async () => {
    const port = await serve((socket) => socket.resume());
    expect(await knock(port, 20)).toBe('refused');
    await expect.poll(() => sockets.every(({ destroyed }) => destroyed)).toBe(true);
  });
});

it('introduce tells the kernel a neighbour that it may still correct', async () => {
  const commands: Command[] = [];
  const run = (command: Command) => {
    commands.push(command);
    return Promise.resolve({ stdout: '', stderr: '', exitCode: 0 });
  };
  await new RealSshPort({ run }).introduce('10.0.3.101', '02:c7:0a:00:03:65', 'incusbr0');
  const args = 'neigh replace 10.0.3.101 lladdr 02:c7:0a:00:03:65 dev incusbr0 nud stale'.split(' ');
  expect(commands).toMatchObject([{ program: 'ip', args }]);
});
