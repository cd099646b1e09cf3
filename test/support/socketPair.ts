/** Two ends of a Unix socket. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SocketPair {
  readonly accepted: Socket;
  readonly connected: Socket;
  close(): Promise<void>;
}

export async function socketPair(): Promise<SocketPair> {
  const folder = await mkdtemp(join(tmpdir(), 'sockets-'));
  const path = join(folder, 'socket');
  const server = createServer().listen(path);
  await once(server, 'listening');
  const arrived = once(server, 'connection') as Promise<[Socket]>;
  const connected = connect(path);
  const [accepted] = await arrived;
  return {
    accepted,
    connected,
    async close() {
      accepted.destroy();
      connected.destroy();
      server.close();
      await rm(folder, { recursive: true });
    },
  };
}
