/** Clients of the remote interface that do not read: their connection ends, and others are served meanwhile. */
import { setTimeout } from 'node:timers/promises';
import { readFile } from 'node:fs/promises';
import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { call, connectClient } from '../support/remote/client.ts';
import { remotePid, startRemoteServer, type RemoteTestServer } from '../support/remote/server.ts';
import { eventually } from '../support/eventually.ts';
import { Inspector } from '../soak/inspector.ts';

const sessions: ClientHttp2Session[] = [];

afterEach(() => {
  for (const session of sessions.splice(0)) session.destroy();
});

/** Connects a client whose streams take only so many bytes until they read. */
async function slowClient(house: RemoteTestServer, initialWindowSize: number): Promise<ClientHttp2Session> {
  const [ca, key, cert] = await Promise.all(
    ['ca.crt', 'client.key', 'client.crt'].map((name) => readFile(join(house.certificates, name))),
  );
  const session = connect(`https://127.0.0.1:${house.port}`, {
    settings: { initialWindowSize },
    ...(ca === undefined ? {} : { ca }),
    ...(key === undefined ? {} : { key }),
    ...(cert === undefined ? {} : { cert }),
  });
  session.on('error', () => undefined);
  sessions.push(session);
  await new Promise<void>((resolve) => session.once('remoteSettings', () => resolve()));
  return session;
}

/** Makes the call with the longest answer. */
function describeVerbs(session: ClientHttp2Session): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/containarium.v1.VerbService/Describe',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => undefined);
  // An empty message: no compression, no bytes.
  stream.end(Buffer.alloc(5));
  return stream;
}

async function honest(house: RemoteTestServer): Promise<void> {
  const client = await connectClient(house.address, house.certificates);
  expect(await call(client, 'ListContainers', {})).toMatchObject({ total_count: 0 });
  client.close();
}

/** How long a slow reader pauses between two pieces, in milliseconds: its slowness is what is tested. */
const slowReaderMs = 300;

describe('with a time limit of 3 seconds', () => {
  test('a client that takes nothing is disconnected, and one that reads slowly gets everything', async () => {
    const house = await startRemoteServer({ config: { remote: { unreadMs: 3000 } } });
    const whole = await slowClient(house, 2 ** 20);
    const lengthOf = async (stream: ClientHttp2Stream): Promise<number> => {
      let length = 0;
      for await (const data of stream) length += (data as Buffer).length;
      return length;
    };
    const expected = await lengthOf(describeVerbs(whole));
    const stuck = await slowClient(house, 0);
    const closed = new Promise<void>((resolve) => stuck.once('close', () => resolve()));
    describeVerbs(stuck);
    const slow = describeVerbs(await slowClient(house, 4096));
    const beganMs = performance.now();
    let length = 0;
    slow.on('data', (data: Buffer) => {
      length += data.length;
      slow.pause();
      void setTimeout(slowReaderMs).then(() => slow.resume());
    });
    await closed;
    await honest(house);
    await new Promise<void>((resolve) => slow.once('close', () => resolve()));
    expect(length).toBe(expected);
    // Longer than the limit, without which this test shows nothing.
    expect(performance.now() - beganMs).toBeGreaterThan(6000);
    expect(whole.destroyed).toBe(false);
  });
});

// A thousand answers take their time on a busy machine.
test('an admin whose clients take no answers fills no memory of the remote process', { timeout: 240_000 }, async () => {
  const house = await startRemoteServer({ config: { remote: { maxConnectionsPerSource: 200 } } });
  await honest(house);
  const pid = await remotePid(house.server);
  const inspector = await Inspector.of(pid);
  const before = await inspector.liveBytes();
  let closed = 0;
  for (let i = 0; i < 16; i++) {
    const session = await slowClient(house, 0);
    session.once('close', () => closed++);
    for (let n = 0; n < 100; n++) describeVerbs(session);
    await honest(house);
  }
  await eventually(() => (closed > 0 ? true : undefined), 'the end of a connection');
  expect((await inspector.liveBytes()) - before).toBeLessThan(150 * 2 ** 20);
  await honest(house);
  expect(await remotePid(house.server)).toBe(pid);
});
