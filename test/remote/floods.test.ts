/**
 * Clients that want to stop the remote interface for others: before their certificate, and with one. After each, an
 * honest client is served by the same process, whose memory is where it was.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  callHeaders,
  closed,
  field,
  flag,
  frame,
  frameType,
  rawHttp2,
  type RawHttp2,
} from '../support/remote/http2.ts';
import { call, connectClient } from '../support/remote/client.ts';
import { remotePid, startRemoteServer, type RemoteTestServer } from '../support/remote/server.ts';
import { Inspector } from '../soak/inspector.ts';

let house: RemoteTestServer;
let pid: number;
let mib: number;
let inspector: Inspector;

/** Returns the live memory of the remote process in MiB, without garbage that V8 has not collected yet. */
async function aliveMiB(): Promise<number> {
  return (await inspector.liveBytes()) / 2 ** 20;
}

beforeAll(async () => {
  house = await startRemoteServer({
    config: { remote: { handshakeMs: 3000, maxConnectionsPerSource: 200, idleMs: 4000 } },
  });
  for (let i = 0; i < 20; i++) await honest();
  pid = await remotePid(house.server);
  inspector = await Inspector.of(pid);
  mib = await aliveMiB();
});

/** Makes a call as an honest client would. */
async function honest(): Promise<void> {
  const client = await connectClient(house.address, house.certificates);
  try {
    expect(await call(client, 'ListContainers', {})).toMatchObject({ total_count: 0 });
  } finally {
    client.close();
  }
}

afterEach(async () => {
  await honest();
  expect(await remotePid(house.server), house.server.log().slice(-4000)).toBe(pid);
  // A leak would exceed this limit: each flood sends or requests many times as much.
  expect((await aliveMiB()) - mib).toBeLessThan(8);
});

describe('without a certificate', () => {
  test('connections that say nothing are closed after the time for a handshake', async () => {
    const sockets: Socket[] = [];
    for (let i = 0; i < 100; i++)
      sockets.push(connectTcp({ port: house.port, host: '127.0.0.1', localAddress: `127.0.1.${i + 1}` }));
    const ends = sockets.map((socket) => closed(socket.on('error', () => undefined).resume()));
    await honest();
    await Promise.all(ends);
  });

  test('a handshake in slow motion is cut', async () => {
    const socket = connectTcp({ port: house.port, host: '127.0.0.1', localAddress: '127.0.2.1' });
    socket.on('error', () => undefined).resume();
    // The beginning of a ClientHello (RFC 8446, section 4.1.2), a byte at a time.
    const hello = Buffer.from('16030102000100', 'hex');
    let at = 0;
    const timer = setInterval(() => socket.write(hello.subarray(at % hello.length, (at++ % hello.length) + 1)), 200);
    await closed(socket);
    clearInterval(timer);
  });

  test('a client without a certificate completes no handshake, and speaks no HTTP/2', async () => {
    const socket = connectTls({
      port: house.port,
      host: '127.0.0.1',
      ALPNProtocols: ['h2'],
      rejectUnauthorized: false,
    });
    socket.on('error', () => undefined).resume();
    await closed(socket);
    expect(socket.bytesRead).toBeLessThan(5000);
  });

  test('many connections of one source are refused beyond its limit', async () => {
    const sockets: Socket[] = [];
    for (let i = 0; i < 60; i++)
      sockets.push(connectTcp({ port: house.port, host: '127.0.0.1', localAddress: '127.0.3.1' }));
    const closedAt = await Promise.all(
      sockets.map(async (socket) => {
        const began = performance.now();
        await closed(socket.on('error', () => undefined).resume());
        return performance.now() - began;
      }),
    );
    // Pending logins of one source: 30 wait for the time of a handshake, the others are closed at once.
    expect(closedAt.filter((ms) => ms < 1500).length).toBeGreaterThanOrEqual(25);
  });

  test('text in place of TLS ends the connection', async () => {
    const socket = connectTcp({ port: house.port, host: '127.0.0.1', localAddress: '127.0.4.1' });
    socket.on('error', () => undefined).resume();
    socket.write(`GET / HTTP/1.1\r\nHost: x\r\n\r\n${'x'.repeat(100_000)}`);
    await closed(socket);
  });
});

describe('with a certificate', () => {
  const path = '/containarium.v1.ContainerService/ListContainers';
  const withHttp2 = async (act: (client: RawHttp2) => Promise<void>): Promise<void> => {
    const client = await rawHttp2(house.port, house.certificates);
    try {
      await act(client);
    } finally {
      client.socket.destroy();
    }
  };

  test('10,000 streams that are reset at once end the connection (rapid reset)', () =>
    withHttp2(async (client) => {
      const headers = callHeaders(path);
      const cancel = Buffer.from([0, 0, 0, 8]);
      await client.flood((i) => {
        const id = i * 2 + 1;
        return Buffer.concat([
          frame(frameType.headers, flag.endHeaders, id, headers),
          frame(frameType.resetStream, 0, id, cancel),
        ]);
      }, 10_000);
      await client.ended;
    }));

  test('10,000 streams that stay open are refused beyond the limit of a connection', () =>
    withHttp2(async (client) => {
      const headers = callHeaders(path);
      await client.flood((i) => frame(frameType.headers, flag.endHeaders, i * 2 + 1, headers), 10_000);
      await honest();
    }));

  test('a header block without an end closes the connection (CONTINUATION flood)', () =>
    withHttp2(async (client) => {
      client.socket.write(frame(frameType.headers, 0, 1, callHeaders(path)));
      const piece = frame(frameType.continuation, 0, 1, field('x-fill', 'x'.repeat(8000)));
      const sent = await client.flood(() => piece, 20_000);
      await client.ended;
      expect(sent).toBeLessThan(20_000 * piece.length);
    }));

  test('giant headers close the stream or the connection', () =>
    withHttp2(async (client) => {
      const fields = Array.from({ length: 4 }, (_, i) => field(`x-${i}`, 'y'.repeat(4000)));
      client.socket.write(
        frame(frameType.headers, flag.endHeaders | flag.endStream, 1, callHeaders(path, fields).subarray(0, 16_384)),
      );
      await honest();
    }));

  test.each([
    ['ping', frame(frameType.ping, 0, 0, Buffer.alloc(8))],
    ['settings', frame(frameType.settings, 0, 0, Buffer.from([0, 4, 0, 1, 0, 0]))],
  ])('a flood of %s frames whose answers are not read fills no memory', async (_, one) => {
    const client = await rawHttp2(house.port, house.certificates);
    client.socket.pause();
    await client.flood(() => one, 500_000);
    client.socket.destroy();
  });

  test('a message beyond the limit is refused', () =>
    withHttp2(async () => {
      const client = await connectClient(house.address, house.certificates);
      const request = { username: 'alice', ssh_keys: ['x'.repeat(2_000_000)] };
      await expect(call(client, 'CreateContainer', request)).rejects.toMatchObject({ code: 8 });
      client.close();
    }));

  test('a connection without a call is closed after the idle time', () =>
    withHttp2(async (client) => {
      await client.ended;
    }));
});
