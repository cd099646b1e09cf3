/**
 * core's socket for the command line on the host. Only root can open it: its folder has mode 0700, and the socket
 * itself 0600.
 */
import { chmod, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Failure } from '../../domain/failure.ts';

/** Longest path of a Unix socket (unix(7), sun_path), without the terminating zero. */
const maxPathBytes = 107;

/** How long a stop waits for answers, in milliseconds. */
const endMs = 1000;

export class LocalSocket {
  readonly #running = new Map<Socket, Promise<void>>();
  #server: Server | undefined;
  #run: ((socket: Socket) => Promise<void>) | undefined;

  private constructor() {}

  /** Listens, and closes connections until `serve` is called. Rejects with `already-running` or `settings`. */
  static async open(path: string): Promise<LocalSocket> {
    const opened = new LocalSocket();
    opened.#server = await listen(path, (socket) => opened.#accept(socket));
    return opened;
  }

  /** Answers connections from now on. `run` resolves when one is answered, and never rejects. */
  serve(run: (socket: Socket) => Promise<void>): void {
    this.#run = run;
  }

  /** Takes no new connections, gives the open ones a second for their answers, and ends those that go on. */
  async stop(): Promise<void> {
    this.close();
    const answered = Promise.all(this.#running.values());
    await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, endMs).unref())]);
    for (const socket of this.#running.keys()) socket.destroy();
  }

  close(): void {
    this.#server?.close();
  }

  #accept(socket: Socket): void {
    if (this.#run === undefined) return void socket.destroy();
    const answered = this.#run(socket).finally(() => this.#running.delete(socket));
    this.#running.set(socket, answered);
  }
}

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

async function listen(path: string, accept: (socket: Socket) => void): Promise<Server> {
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
