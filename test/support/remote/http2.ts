/** A client of HTTP/2 that breaks its rules on purpose: TLS with a certificate, and frames by hand (RFC 9113). */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';

export const frameType = { data: 0, headers: 1, resetStream: 3, settings: 4, ping: 6, goAway: 7, continuation: 9 };
export const flag = { endStream: 0x1, endHeaders: 0x4 };

export function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A literal header field without indexing, with a new name (RFC 7541, section 6.2.2). */
export function field(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0]), text(name), text(value)]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  return Buffer.concat([integer(bytes.length, 7), bytes]);
}

/** An integer with a prefix of so many bits (RFC 7541, section 5.1). */
function integer(value: number, bits: number): Buffer {
  const most = 2 ** bits - 1;
  if (value < most) return Buffer.from([value]);
  const bytes = [most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** The header block of a call. */
export function callHeaders(path: string, more: readonly Buffer[] = []): Buffer {
  return Buffer.concat([
    field(':method', 'POST'),
    field(':scheme', 'https'),
    field(':path', path),
    field(':authority', 'localhost'),
    field('content-type', 'application/grpc'),
    field('te', 'trailers'),
    ...more,
  ]);
}

/** Resolves when a connection is closed, with or without an error. */
export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

export interface RawHttp2 {
  readonly socket: TLSSocket;
  /** Resolves when the server has closed the connection. */
  readonly ended: Promise<void>;
  /** Sends frames as fast as the server takes them. Resolves to the bytes sent, at the end or when it is closed. */
  flood(next: (i: number) => Buffer, count: number): Promise<number>;
}

/** Connects with the certificates of a folder, and begins HTTP/2. */
export async function rawHttp2(port: number, folder: string): Promise<RawHttp2> {
  const [ca, key, cert] = await Promise.all(
    ['ca.crt', 'client.key', 'client.crt'].map((name) => readFile(join(folder, name))),
  );
  const socket = connect({
    host: '127.0.0.1',
    port,
    ALPNProtocols: ['h2'],
    ...(ca === undefined ? {} : { ca }),
    ...(key === undefined ? {} : { key }),
    ...(cert === undefined ? {} : { cert }),
  });
  socket.on('error', () => undefined);
  const ended = closed(socket);
  await once(socket, 'secureConnect');
  socket.resume();
  socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(frameType.settings, 0, 0)]));
  return {
    socket,
    ended,
    async flood(next, count) {
      for (let i = 0; i < count && !socket.destroyed; i += 100) {
        const many = Buffer.concat(Array.from({ length: Math.min(100, count - i) }, (_, j) => next(i + j)));
        if (!socket.write(many))
          await Promise.race([
            new Promise((resolve) => socket.once('drain', resolve)),
            ended,
            // The longest time for a server that takes no more, which is what some floods are for.
            new Promise((resolve) => setTimeout(resolve, 2000).unref()),
          ]);
        await new Promise((resolve) => setImmediate(resolve));
      }
      return socket.bytesWritten;
    },
  };
}
