/**
 * A slow network, as a relay in front of a server: everything arrives late, at a rate that is limited, and now and then
 * one round trip later, which is how a lost segment looks from above TCP. The kernel's own (tc-netem(8)) is not in
 * every kernel that runs tests.
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';

export interface SlowNetworkOptions {
  /** Port on 127.0.0.1 that is relayed to. */
  readonly to: number;
  readonly roundTripMs: number;
  /** Each way; a line of 9600 baud (8N1) carries 960. */
  readonly bytesPerSecond: number;
  /** One segment of so many is lost. */
  readonly loseOneOf: number;
}

export interface SlowNetwork {
  readonly port: number;
  /** Bytes that have come from the server so far, as the client gets them. */
  readonly received: number;
  close(): void;
}

/** What a segment carries at most here, in bytes: little, so that a rate is a rate. */
const segmentBytes = 128;
/** What waits at most before the sender has to, in bytes. */
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
    // Timers of the same moment come in any order; what they deliver does not.
    const queue: Buffer[] = [];
    from.on('data', (data: Buffer) => {
      for (let at = 0; at < data.length; at += segmentBytes) {
        const segment = data.subarray(at, at + segmentBytes);
        const nowMs = performance.now();
        freeAtMs = Math.max(freeAtMs, nowMs) + (segment.length * 1000) / bytesPerSecond;
        const lateMs = ++segments % loseOneOf === 0 ? roundTripMs : 0;
        // What comes behind a lost one waits for it.
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
