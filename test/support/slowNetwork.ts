/**
 * A relay in front of a server that simulates a slow network: it delays data, limits the rate, and now and then delays
 * a segment by another round trip, which is the effect of a lost segment above TCP. The kernel's tc-netem(8) is not
 * available on every machine that runs tests.
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';

export interface SlowNetworkOptions {
  /** Port of the server on 127.0.0.1. */
  readonly to: number;
  readonly roundTripMs: number;
  /** Rate in each direction. A line of 9600 baud (8N1) carries 960. */
  readonly bytesPerSecond: number;
  /** Every n-th segment is lost. */
  readonly loseOneOf: number;
}

export interface SlowNetwork {
  readonly port: number;
  /** Bytes from the server that were relayed so far. */
  readonly received: number;
  close(): void;
}

/** Maximum size of a segment, in bytes. Small segments give a steady rate. */
const maxSegmentBytes = 128;
/** Bytes in the queue from which on the sender is paused. */
const maxWaitingBytes = 8192;

export async function slowNetwork({
  to,
  roundTripMs,
  bytesPerSecond,
  loseOneOf,
}: SlowNetworkOptions): Promise<SlowNetwork> {
  let received = 0;
  const sockets = new Set<Socket>();
  const relay = (from: Socket, into: Socket, count: (bytes: number) => void): void => {
    let freeAtMs = 0;
    let arrivesAtMs = 0;
    let waiting = 0;
    let segments = 0;
    // Timers that are due at the same time fire in any order, but data must stay in order.
    const queue: Buffer[] = [];
    from.on('data', (data: Buffer) => {
      for (let at = 0; at < data.length; at += maxSegmentBytes) {
        const segment = data.subarray(at, at + maxSegmentBytes);
        const nowMs = performance.now();
        freeAtMs = Math.max(freeAtMs, nowMs) + (segment.length * 1000) / bytesPerSecond;
        const lateMs = ++segments % loseOneOf === 0 ? roundTripMs : 0;
        // Segments after a lost one wait for it.
        arrivesAtMs = Math.max(arrivesAtMs, freeAtMs + roundTripMs / 2 + lateMs);
        waiting += segment.length;
        queue.push(segment);
        setTimeout(() => {
          const next = queue.shift() ?? Buffer.alloc(0);
          waiting -= next.length;
          if (!into.destroyed) into.write(next);
          count(next.length);
          if (waiting < maxWaitingBytes) from.resume();
        }, arrivesAtMs - nowMs);
      }
      if (waiting >= maxWaitingBytes) from.pause();
    });
    from.on('close', () => setTimeout(() => into.end(), Math.max(0, arrivesAtMs - performance.now()) + 10));
  };
  const server = createServer({ noDelay: true }, (client) => {
    const onward = connect({ port: to, host: '127.0.0.1', noDelay: true });
    for (const socket of [client, onward]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    }
    relay(client, onward, () => undefined);
    relay(onward, client, (bytes) => (received += bytes));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get received() {
      return received;
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
