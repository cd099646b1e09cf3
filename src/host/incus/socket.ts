/**
 * Incus's REST API over its Unix socket: requests and websockets. It serves reads, and streams that stay open, which
 * the `incus` client does not offer to a program. Changes go through the client (`src/host/incus/client.ts`).
 *
 * Sources: the REST API description of Incus 6.0; RFC 6455 for websockets.
 */
import { lstatSync } from 'node:fs';
import { request, type Agent, type ClientRequest } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import * as z from 'zod';
import { Failure } from '../../domain/failure.ts';
import { printable } from '../../domain/text.ts';
import { durationInWords } from '../../domain/values/duration.ts';
import { tooMuch } from '../runner.ts';

function pathExists(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * Returns the socket that the `incus` client uses in this environment: `INCUS_SOCKET`, else `unix.socket` in
 * `INCUS_DIR`, in `/run/incus` if it exists there, or in `/var/lib/incus` (incus 6.0, `ConnectIncusUnix`). Ignores the
 * second socket, for users without full rights.
 */
export function incusSocketPath(
  env: Readonly<Record<string, string | undefined>>,
  exists: (path: string) => boolean = pathExists,
): string {
  const socket = env['INCUS_SOCKET'];
  const folder = env['INCUS_DIR'];
  if (socket !== undefined && socket !== '') return socket;
  if (folder !== undefined && folder !== '') return join(folder, 'unix.socket');
  const inRun = '/run/incus/unix.socket';
  return exists(inRun) ? inRun : '/var/lib/incus/unix.socket';
}

/** Returns the failure for an Incus that is unreachable or whose connection was lost. */
export function unavailable(why: string, cause?: unknown): Failure {
  return new Failure('incus-unavailable', { what: 'Incus', why, next: 'see "doctor"' }, cause);
}

/** Maximum size of a reply, in bytes, unless a call says more. */
const defaultMaxReplyBytes = 1024 * 1024;

const reply = z.object({
  type: z.string(),
  /** The reason of a refusal; empty for success. */
  error: z
    .string()
    .nullish()
    .transform((text) => text ?? ''),
  /** The HTTP status of a refusal. */
  error_code: z.number().default(0),
  metadata: z.unknown(),
});

export type Reply = z.infer<typeof reply>;

export interface Call {
  readonly method: 'GET' | 'POST';
  /** The path with its query, encoded. */
  readonly path: string;
  readonly body?: unknown;
  /** Time limit in milliseconds; undefined for none. */
  readonly timeoutMs?: number;
  /** Cancels the call, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  readonly maxReplyBytes?: number;
  /** Keeps connections for the next call. Default: a fresh connection for each. */
  readonly agent?: Agent;
}

/** What Incus answered. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Returns what a failure calls a request. */
function calledAs({ method, path }: Pick<Call, 'method' | 'path'>): string {
  return `"${method} ${printable(path.split('?')[0] ?? '')}"`;
}

/** Parses the reply to a call. Throws `unexpected-output`. */
export function parseReply(call: Pick<Call, 'method' | 'path'>, text: string): Reply {
  const what = calledAs(call);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new Failure('unexpected-output', { what, why: 'the reply of Incus is not JSON' }, error);
  }
  const parsed = reply.safeParse(document);
  if (parsed.success) return parsed.data;
  throw new Failure('unexpected-output', { what, why: 'the reply of Incus has an unexpected format' }, parsed.error);
}

/** Reports whether Incus closed a kept connection before it read the request (`reusedSocket` of http.ClientRequest). */
function wasStale(sent: ClientRequest, error: Error): boolean {
  return sent.reusedSocket && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}

/** Sends a request. Rejects with `incus-unavailable`, `timeout` or `unexpected-output` (too long). */
export async function exchange(socketPath: string, call: Call): Promise<Answer> {
  const { method, path, body, timeoutMs, signal, agent, maxReplyBytes = defaultMaxReplyBytes } = call;
  const what = calledAs(call);
  const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const sent = request({
      socketPath,
      path,
      method,
      agent: agent ?? false,
      headers: {
        host: 'incus',
        ...(payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': payload.length }),
      },
    });
    let isSettled = false;
    const settle = (finish: () => void): void => {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      finish();
    };
    // The destroyed request reports another error, which no longer counts.
    const fail = (error: Error): void => {
      settle(() => reject(error));
      sent.destroy();
    };
    const lost = (error: Error): void => {
      // A kept connection may be closed just as it is used again. Only a read may be sent twice.
      if (method === 'GET' && wasStale(sent, error)) settle(() => resolve(exchange(socketPath, call)));
      else fail(unavailable('its server does not answer', error));
    };
    const abort = (): void => fail(signal?.reason as Error);
    const late = (limitMs: number): void =>
      fail(
        new Failure('timeout', {
          what,
          why: `Incus did not answer within ${durationInWords(limitMs)}`,
          next: 'see "doctor"',
        }),
      );
    const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs, timeoutMs);
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
    // The listeners stay: a cancelled request may fail later, and an unhandled error event ends the process.
    sent.on('error', lost);
    sent.on('response', (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('error', lost);
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= maxReplyBytes) chunks.push(chunk);
        else fail(tooMuch(what, `Incus answered with more than ${maxReplyBytes} bytes`, maxReplyBytes));
      });
      response.on('end', () =>
        settle(() => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() })),
      );
    });
    sent.end(payload);
  });
}

/**
 * Sends one request. A refusal is a reply with a non-empty `error`. Rejects with `incus-unavailable` (no reply),
 * `timeout`, or `unexpected-output` (not JSON, or too long).
 */
export async function callIncus(socketPath: string, call: Call): Promise<Reply> {
  return parseReply(call, (await exchange(socketPath, call)).text);
}

/**
 * Starts to open a websocket. A message larger than `maxMessageBytes` closes it. A `close` event follows every error,
 * so errors need no listener.
 */
export function webSocket(socketPath: string, path: string, maxMessageBytes: number): WebSocket {
  const socket = new WebSocket(`ws://incus${path}`, {
    // A ws+unix: URL would cut the socket's path at a colon.
    createConnection: () => connect({ path: socketPath }),
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
    followRedirects: false,
  });
  socket.on('error', () => undefined);
  return socket;
}

/**
 * Waits until a websocket is open. If it is refused or does not open within the limit, terminates it and rejects with
 * `incus-unavailable`.
 */
export function opened(socket: WebSocket, limitMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let cause: unknown;
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      socket.off('open', open).off('error', remember).off('close', refused);
      finish();
    };
    const open = (): void => settle(resolve);
    const remember = (error: Error): void => void (cause = error);
    const refused = (): void => settle(() => reject(unavailable('its server does not answer', cause)));
    const timer = setTimeout(() => {
      settle(() => reject(unavailable(`its server did not open a stream within ${durationInWords(limitMs)}`)));
      socket.terminate();
    }, limitMs);
    socket.on('open', open).on('error', remember).on('close', refused);
  });
}

export interface Keepalive {
  /** Interval between two pings, in milliseconds. */
  readonly intervalMs: number;
  /** Maximum number of unanswered pings in a row. */
  readonly maxMissed: number;
}

/**
 * Pings an open websocket until it is closed, and calls `onDead` once when it no longer answers. It counts pings and
 * not time, so that a pause of this process does not make Incus look dead.
 */
export function sendKeepalives(socket: WebSocket, { intervalMs, maxMissed }: Keepalive, onDead: () => void): void {
  let unanswered = 0;
  const heard = (): void => void (unanswered = 0);
  const timer = setInterval(() => {
    if (unanswered >= maxMissed) {
      clearInterval(timer);
      return onDead();
    }
    unanswered += 1;
    // A closing socket refuses pings; its close event follows.
    if (socket.readyState === WebSocket.OPEN) socket.ping();
  }, intervalMs);
  socket.on('pong', heard).on('ping', heard).on('message', heard);
  socket.once('close', () => clearInterval(timer));
}
