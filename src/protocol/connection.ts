/** Makes JSON-RPC connections over sockets, and converts failures to and from JSON-RPC errors. */
import type { Duplex } from 'node:stream';
import {
  createMessageConnection,
  ErrorCodes,
  ResponseError,
  StreamMessageReader,
  type MessageConnection,
  type NotificationType,
  type NotificationType0,
} from 'vscode-jsonrpc/node';
import * as z from 'zod';
import { coreEnded } from '../domain/coreEnded.ts';
import { Failure, failureCodes, type FailureCode, type FailureData } from '../domain/failure.ts';
import { BoundedReader } from './boundedReader.ts';
import { WholeMessageWriter } from './wholeMessageWriter.ts';

/** Error code of a Failure (JSON-RPC 2.0 leaves codes outside -32768…-32000 to the application). */
const failureError = 1;

const failureData = z.object({
  code: z.string().refine((code): code is FailureCode => Object.hasOwn(failureCodes, code)),
  what: z.string(),
  why: z.string(),
  next: z.string().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});

/**
 * Longest message that core accepts, in bytes. The longest message of the protocol is terminal input (terminalBytes).
 */
export const maxMessageBytes = 2 * 1024 * 1024;

/** Makes a connection. With `maxBytes` the peer is not trusted, and a longer message ends the stream. */
export function connectOver(stream: Duplex, options: { readonly maxBytes?: number } = {}): MessageConnection {
  const reader =
    options.maxBytes === undefined ? new StreamMessageReader(stream) : new BoundedReader(stream, options.maxBytes);
  const connection = createMessageConnection(reader, new WholeMessageWriter(stream), {
    error: () => undefined,
    warn: () => undefined,
    info: () => undefined,
    log: () => undefined,
  });
  stream.on('error', () => undefined);
  return connection;
}

/**
 * Sends a notification if the connection is open. Never throws, unlike vscode-jsonrpc on a closed connection: a running
 * operation that reports its progress must not fail because its caller has left.
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
    // The connection is closed or disposed of.
  }
}

export function toResponseError(error: unknown): ResponseError<FailureData> {
  const failure = Failure.from(error);
  return new ResponseError(failureError, failure.message, failure.toData());
}

/** Converts the error of a rejected request to a Failure. */
export function fromResponseError(error: unknown): Failure {
  if (error instanceof ResponseError) {
    const parsed = failureData.safeParse(error.data);
    if (parsed.success) return Failure.fromData(parsed.data);
    if (error.code === ErrorCodes.PendingResponseRejected) return coreEnded(error);
  }
  return error instanceof Failure ? error : coreEnded(error);
}
