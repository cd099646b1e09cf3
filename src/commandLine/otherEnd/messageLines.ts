/**
 * Messages over a socket, a line of JSON each, for the command line on the host. A property that has bytes is written
 * as `{ "base64": … }`.
 *
 * (split2 searches all that it has of a line again with each piece, and a long answer arrives in many.)
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { Failure } from '../../domain/failure.ts';

const lineFeed = 0x0a;

export class MessageLines extends Duplex {
  readonly #socket: Socket;
  readonly #maxBytes: number;
  /** The pieces of the line that has no end yet. */
  #pieces: Buffer[] = [];
  #bytes = 0;

  /** A line of the peer that is longer than `maxBytes` ends the stream with an error. */
  constructor(socket: Socket, maxBytes = Infinity) {
    super({ objectMode: true });
    this.#socket = socket;
    this.#maxBytes = maxBytes;
    socket.on('data', (piece: Buffer) => this.#take(piece));
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => {
      this.emit('cancelled');
      this.destroy();
    });
    this.on('error', () => undefined);
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(message: object, _encoding: string, done: (error?: Error | null) => void): void {
    this.#socket.write(`${JSON.stringify(encoded(message))}\n`, done);
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #take(piece: Buffer): void {
    let from = 0;
    for (let end = piece.indexOf(lineFeed); end >= 0; end = piece.indexOf(lineFeed, from)) {
      this.#pieces.push(piece.subarray(from, end));
      const line = Buffer.concat(this.#pieces).toString();
      this.#pieces = [];
      this.#bytes = 0;
      from = end + 1;
      if (!this.#pass(line)) return;
    }
    this.#pieces.push(piece.subarray(from));
    this.#bytes += piece.length - from;
    if (this.#bytes > this.#maxBytes)
      this.destroy(
        new Failure('input-too-large', { what: 'a message', why: `it is longer than ${this.#maxBytes} bytes` }),
      );
  }

  /** Passes a message on. Returns false if it is none, which ends the stream. */
  #pass(line: string): boolean {
    const message = decoded(line);
    if (message === undefined) {
      this.destroy(new Failure('usage', { what: 'a message', why: 'it is no line of JSON' }));
      return false;
    }
    if (!this.push(message)) this.#socket.pause();
    return true;
  }
}

function encoded(message: object): object {
  return Object.fromEntries(
    Object.entries(message).map(([key, value]: [string, unknown]) => [
      key,
      value instanceof Uint8Array ? { base64: Buffer.from(value).toString('base64') } : value,
    ]),
  );
}

function decoded(line: string): object | undefined {
  try {
    const message: unknown = JSON.parse(line);
    if (typeof message !== 'object' || message === null) return undefined;
    return Object.fromEntries(
      Object.entries(message).map(([key, value]: [string, unknown]) => [
        key,
        isBytes(value) ? Buffer.from(value.base64, 'base64') : value,
      ]),
    );
  } catch {
    return undefined;
  }
}

function isBytes(value: unknown): value is { readonly base64: string } {
  return typeof value === 'object' && value !== null && 'base64' in value && typeof value.base64 === 'string';
}
