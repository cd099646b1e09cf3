/**
 * Core's socket for the command line on the host. Only root can open it: it lies in a folder of mode 0700 and is 0600
 * itself.
 */
import { chmod, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Failure } from '../../domain/failure.ts';

/** Longest path of a Unix socket (unix(7), sun_path) less the closing zero. */
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
      why: `a socket path ends at ${maxPathBytes} bytes`,
      next: 'set CONTAINARIUM_HOME to a shorter path',
    });
  }
  if (await isAnswered(path)) {
    throw new Failure('already-running', {
      what: `socket ${path}`,
      why: 'a server is running in this home already',
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
