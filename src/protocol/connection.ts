/** A JSON-RPC connection over a socket, and failures as its errors. */
import type { Duplex } from 'node:stream';
import {
  createMessageConnection,
  ErrorCodes,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
  type MessageConnection,
  type NotificationType,
  type NotificationType0,
} from 'vscode-jsonrpc/node';
import { z } from 'zod';
import { Failure, failureCodes, type FailureCode, type FailureData } from '../domain/failure.ts';
import { BoundedReader } from './boundedReader.ts';

/** Application errors of this protocol (JSON-RPC 2.0 leaves codes outside -32768…-32000 to the application). */
const failureError = 1;

const failureData = z.object({
  code: z.string().refine((code): code is FailureCode => Object.hasOwn(failureCodes, code)),
  what: z.string(),
  why: z.string(),
  next: z.string().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});

/**
 * Longest message that core takes, in bytes: the longest that the protocol allows is a piece of terminal input
 * (terminalBytes).
 */
export const maxMessageBytes = 2 * 1024 * 1024;

/** `mostBytes`: the other side is not trusted, and a message that is longer ends the stream. */
export function connectOver(stream: Duplex, options: { readonly maxBytes?: number } = {}): MessageConnection {
  const reader =
    options.maxBytes === undefined ? new StreamMessageReader(stream) : new BoundedReader(stream, options.maxBytes);
  const connection = createMessageConnection(reader, new StreamMessageWriter(stream), {
    error: () => undefined,
    warn: () => undefined,
    info: () => undefined,
    log: () => undefined,
  });
  stream.on('error', () => undefined);
  return connection;
}

/**
 * Tells the other side something, where it is still there. Never throws: vscode-jsonrpc throws at once on a connection
 * that is closed, and whoever has something to tell (an operation at work) must not stop because nobody listens any
 * more.
 */
export function notify(connection: MessageConnection, type: NotificationType0): void;
export function notify<P>(connection: MessageConnection, type: NotificationType<P>, params: P): void;
export function notify(
  connection: MessageConnection,
  { method }: NotificationType0 | NotificationType<unknown>,
  ...params: unknown[]
): void {
  try {
    void connection.sendNotification(method, ...params).catch(() => undefined);
  } catch {
    // Closed or disposed of.
  }
}

export function toResponseError(error: unknown): ResponseError<FailureData> {
  const failure = Failure.from(error);
  return new ResponseError(failureError, failure.message, failure.toData());
}

/** What a rejected request means to the caller. */
export function fromResponseError(error: unknown): Failure {
  if (error instanceof ResponseError) {
    const parsed = failureData.safeParse(error.data);
    if (parsed.success) return Failure.fromData(parsed.data);
    if (error.code === ErrorCodes.PendingResponseRejected) return lost(error);
  }
  return error instanceof Failure ? error : lost(error);
}

function lost(cause: unknown): Failure {
  return new Failure(
    'core-unavailable',
    {
      what: 'the server',
      why: 'its privileged part went away before it answered',
      next: 'operations go on or are taken back by themselves; try again, and look with "list" and "doctor"',
    },
    cause,
  );
}
