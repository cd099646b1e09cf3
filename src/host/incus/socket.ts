/**
 * Incus's REST API over its Unix socket: requests and websockets. Only for what its client cannot do for a program:
 * streams that stay open. Everything else goes through `src/host/incus/incus.ts`.
 *
 * Sources: the REST API description of Incus 6.0; RFC 6455 for websockets.
 */
import { lstatSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { Failure } from '../../domain/failure.ts';
import { printable } from '../../domain/text.ts';

function isThere(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * The socket that the `incus` client uses in this environment: `INCUS_SOCKET`, else `unix.socket` in `INCUS_DIR`, in
 * `/run/incus` where it is there, or in `/var/lib/incus` (incus 6.0, `ConnectIncusUnix`; its second socket, for users
 * without full rights, is not for us).
 */
export function incusSocketPath(
  env: Readonly<Record<string, string | undefined>>,
  exists: (path: string) => boolean = isThere,
): string {
  const socket = env['INCUS_SOCKET'];
  const folder = env['INCUS_DIR'];
  if (socket !== undefined && socket !== '') return socket;
  if (folder !== undefined && folder !== '') return join(folder, 'unix.socket');
  const inRun = '/run/incus/unix.socket';
  return exists(inRun) ? inRun : '/var/lib/incus/unix.socket';
}

/** Incus cannot be reached, or the connection to it is lost. */
export function unavailable(why: string, cause?: unknown): Failure {
  return new Failure('incus-unavailable', { what: 'Incus', why, next: 'containarium doctor' }, cause);
}

/** More than this is no answer to a request of ours, in bytes. */
const maxReplyBytes = 1024 * 1024;

const reply = z.object({
  type: z.string(),
  /** Empty, or why it was refused. */
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
  /** With its query, encoded. */
  readonly path: string;
  readonly body?: unknown;
  /** In milliseconds; without it a call may take as long as it likes. */
  readonly timeoutMs?: number;
  /** Ends the call; its reason is what the call then rejects with. */
  readonly signal?: AbortSignal;
}

function parseReply(what: string, text: string): Reply {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new Failure('unexpected-output', { what, why: 'the answer of Incus is not JSON' }, error);
  }
  const parsed = reply.safeParse(document);
  if (parsed.success) return parsed.data;
  throw new Failure(
    'unexpected-output',
    { what, why: 'the answer of Incus has another shape than expected' },
    parsed.error,
  );
}

/** The text of the answer to one request. */
function exchange(socketPath: string, what: string, { method, path, body, timeoutMs, signal }: Call): Promise<string> {
  const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const sent = request({
      socketPath,
      path,
      method,
      // A connection of its own: one that idles in a pool may be closed just when it is used again.
      agent: false,
      headers: {
        host: 'incus',
        ...(payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': payload.length }),
      },
    });
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      sent.destroy();
      finish();
    };
    const fail = (error: Error): void => settle(() => reject(error));
    const lost = (error: Error): void => fail(unavailable('its server does not answer', error));
    const abort = (): void => fail(signal?.reason as Error);
    const late = (limitMs: number): void =>
      fail(
        new Failure('timeout', {
          what,
          why: `Incus did not answer within ${limitMs / 1000} s`,
          next: 'containarium doctor',
        }),
      );
    const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs, timeoutMs);
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
    // These stay for good: what was given up may fail later, and an error that nobody listens to ends the process.
    sent.on('error', lost);
    sent.on('response', (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('error', lost);
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= maxReplyBytes) chunks.push(chunk);
        else
          fail(new Failure('unexpected-output', { what, why: `Incus answered with more than ${maxReplyBytes} bytes` }));
      });
      response.on('end', () => settle(() => resolve(Buffer.concat(chunks).toString())));
    });
    sent.end(payload);
  });
}

/**
 * One request. A refusal of Incus is a reply like others: look at `error`. Rejects with `incus-unavailable` where there
 * is no answer, `timeout`, or `unexpected-output` (not JSON, or too much of it).
 */
export async function callIncus(socketPath: string, call: Call): Promise<Reply> {
  const what = `"${call.method} ${printable(call.path.split('?')[0] ?? '')}"`;
  return parseReply(what, await exchange(socketPath, what, call));
}

/**
 * Begins to open a websocket. A message larger than `maxMessageBytes` ends it. Errors are followed by its `close`
 * event, and by nothing else: they need no listener.
 */
export function webSocket(socketPath: string, path: string, maxMessageBytes: number): WebSocket {
  const socket = new WebSocket(`ws://incus${path}`, {
    // Not a ws+unix: URL, which cuts the path of the socket at a colon.
    createConnection: () => connect({ path: socketPath }),
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
    followRedirects: false,
  });
  socket.on('error', () => undefined);
  return socket;
}

/**
 * Waits until a websocket is open. Rejects with `incus-unavailable` when it is refused or does not open within the
 * limit; it is gone then.
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
      settle(() => reject(unavailable(`its server did not open a stream within ${limitMs / 1000} s`)));
      socket.terminate();
    }, limitMs);
    socket.on('open', open).on('error', remember).on('close', refused);
  });
}

export interface Pulse {
  /** How often the other side is asked for a sign of life, in milliseconds. */
  readonly everyMs: number;
  /** How many questions in a row may stay without an answer. */
  readonly missed: number;
}

/**
 * Asks an open websocket again and again for a sign of life, until it is closed; `onSilence` is called once when there
 * is none. It counts questions and not time, so that a standstill of this process is not taken for one of Incus.
 */
export function watchPulse(socket: WebSocket, { everyMs, missed }: Pulse, onSilence: () => void): void {
  let unanswered = 0;
  const heard = (): void => void (unanswered = 0);
  const timer = setInterval(() => {
    if (unanswered >= missed) {
      clearInterval(timer);
      return onSilence();
    }
    unanswered += 1;
    // Refused only by a socket that is just closing; its close event follows.
    if (socket.readyState === WebSocket.OPEN) socket.ping();
  }, everyMs);
  socket.on('pong', heard).on('ping', heard).on('message', heard);
  socket.once('close', () => clearInterval(timer));
}
