/**
 * core's socket for the command line on the host. Only root can open it: its folder has mode 0700, and the socket
 * itself 0600.
 */
import { chmod, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Failure } from '../../domain/failure.ts';

/** Longest path of a Unix socket (unix(7), sun_path), without the terminating zero. */
const maxPathBytes = 107;

async function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}

export async function listenLocally(path: string, accept: (socket: Socket) => void): Promise<Server> {
  if (Buffer.byteLength(path) > maxPathBytes) {
    throw new Failure('settings', {
      what: `socket ${path}`,
      why: `the path is longer than ${maxPathBytes} bytes`,
      next: 'set CONTAINARIUM_HOME to a shorter path',
    });
  }
  if (await isAnswered(path)) {
    throw new Failure('already-running', {
      what: `socket ${path}`,
      why: 'a server is already running in this home',
      next: 'stop it first, or set CONTAINARIUM_HOME to another folder',
    });
  }
  await unlink(path).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  });
  const server = createServer(accept);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
  await chmod(path, 0o600);
  return server;
}
