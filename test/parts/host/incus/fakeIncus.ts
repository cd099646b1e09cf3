/** A server on a Unix socket that behaves like Incus, or as badly as a test needs. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { SocketStreams } from '../../../../src/host/incus/streams.ts';
import type { StreamLimits } from '../../../../src/host/incus/streams.ts';

/**
 * Short, so that tests of timeouts are quick, but not so short that a busy machine looks like an unresponsive server.
 */
export const limits: StreamLimits = {
  openMs: 500,
  beginMs: 60,
  closeMs: 200,
  keepalive: { intervalMs: 100, maxMissed: 3 },
};

export interface Handlers {
  request?(request: IncomingMessage, body: string, response: ServerResponse): void;
  /** Without calling `accept` the websocket never opens. */
  upgrade?(url: URL, accept: () => Promise<WebSocket>, socket: Socket): unknown;
}

export interface FakeIncus {
  readonly path: string;
  readonly streams: SocketStreams;
  /** Ends every connection, as when the server dies. */
  die(): void;
}

/** Returns a folder whose name has a colon and a space. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'containarium: fake '));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function fakeIncus(handlers: Handlers): Promise<FakeIncus> {
  const path = join(await temporaryFolder(), 'unix.socket');
  const sockets = new WebSocketServer({ noServer: true });
  const connections = new Set<Socket>();
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => handlers.request?.(request, body, response));
  });
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.on('error', () => undefined).on('close', () => connections.delete(socket));
  });
  server.on('upgrade', (request, socket: Socket, head) => {
    const accept = (): Promise<WebSocket> =>
      new Promise((resolve) =>
        sockets.handleUpgrade(request, socket, head, (opened) => {
          opened.on('error', () => undefined);
          resolve(opened);
        }),
      );
    handlers.upgrade?.(new URL(request.url ?? '', 'http://incus'), accept, socket);
  });
  server.listen(path);
  await once(server, 'listening');
  const die = (): void => connections.forEach((socket) => socket.destroy());
  onTestFinished(() => {
    server.close();
    die();
  });
  return { path, streams: new SocketStreams(path, limits), die };
}

const id = '0d7a5b4e-3b0f-4a8e-9a55-9b1f7f6a1c01';
const secrets = { 0: 'a'.repeat(64), control: 'b'.repeat(64) };

export function answer(response: ServerResponse, document: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(document));
}

export const refusal = (error: string, code: number): unknown => ({
  type: 'error',
  error,
  error_code: code,
  metadata: null,
});

/** An exec of Incus whose program the test plays. */
export interface FakeExec extends FakeIncus {
  /** Received requests. */
  readonly posted: { url: string; body: Record<string, unknown> }[];
  /** Messages received on the control websocket. */
  readonly controls: Record<string, unknown>[];
  /** Data received on the data websocket. */
  readonly typed: Buffer[];
  readonly data: Promise<WebSocket>;
  readonly control: Promise<WebSocket>;
  /**
   * Ends the program: closes the control websocket, marks the end of the output, and waits for the client to do the
   * same.
   */
  finish(status: number): Promise<void>;
  /** Ends the operation with an error. */
  fail(error: string): void;
}

/** Starts a fake Incus. `started` plays the program; it is called when both websockets are open. */
export async function fakeExec(
  started: (exec: FakeExec, attempt: number) => unknown = () => undefined,
): Promise<FakeExec> {
  const posted: FakeExec['posted'] = [];
  const controls: FakeExec['controls'] = [];
  const typed: Buffer[] = [];
  let data = Promise.withResolvers<WebSocket>();
  let control = Promise.withResolvers<WebSocket>();
  let end = Promise.withResolvers<unknown>();
  const fake = await fakeIncus({
    request(request, body, response) {
      if (request.method === 'POST') {
        posted.push({ url: request.url ?? '', body: JSON.parse(body) as Record<string, unknown> });
        [data, control, end] = [Promise.withResolvers(), Promise.withResolvers(), Promise.withResolvers()];
        const attempt = posted.length;
        void Promise.all([data.promise, control.promise]).then(() => started(exec, attempt));
        answer(
          response,
          { type: 'async', error: '', error_code: 0, metadata: { id, metadata: { fds: secrets } } },
          202,
        );
      } else if (request.url === `/1.0/operations/${id}/wait`)
        void end.promise.then((document) => answer(response, document));
    },
    upgrade(url, accept) {
      const secret = url.searchParams.get('secret');
      if (url.pathname !== `/1.0/operations/${id}/websocket`) return;
      void accept().then((socket) => {
        if (secret === secrets[0]) {
          socket.on('message', (piece: Buffer) => typed.push(piece));
          data.resolve(socket);
        } else if (secret === secrets.control) {
          socket.on('message', (message: Buffer) =>
            controls.push(JSON.parse(message.toString()) as Record<string, unknown>),
          );
          control.resolve(socket);
        }
      });
    },
  });
  const exec: FakeExec = {
    ...fake,
    posted,
    controls,
    typed,
    get data() {
      return data.promise;
    },
    get control() {
      return control.promise;
    },
    async finish(status) {
      (await control.promise).terminate();
      const socket = await data.promise;
      // An empty text message marks the end.
      socket.send('');
      if (socket.readyState !== socket.CLOSED) await once(socket, 'close');
      end.resolve({
        type: 'sync',
        error: '',
        error_code: 0,
        metadata: { id, err: '', metadata: { fds: secrets, return: status } },
      });
    },
    fail: (error) => end.resolve(refusal(error, 400)),
  };
  return exec;
}
