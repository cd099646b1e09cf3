import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, test } from 'vitest';
import type { WebSocket } from 'ws';
import { instanceOf, parseEvent } from '../../../../src/host/incus/lifecycleEvents.ts';
import { incusSocketPath } from '../../../../src/host/incus/socket.ts';
import { SocketStreams } from '../../../../src/host/incus/streams.ts';
import type { IncusStreams } from '../../../../src/host/incus/streams.ts';
import { failureOf } from '../../../unit/simulated/support.ts';
import { fakeIncus, limits, temporaryFolder } from './fakeIncus.ts';
import type { FakeIncus } from './fakeIncus.ts';

const at = '2026-11-24T13:49:50.226711886Z';
const message = (action: string, source: string): string =>
  JSON.stringify({
    type: 'lifecycle',
    timestamp: at,
    metadata: { action, source, name: 'x', project: 'default' },
    location: 'none',
    project: 'default',
  });

/** Follows the events and records them. */
function follow(streams: IncusStreams): { received: string[]; stop: AbortController; ended: Promise<void> } {
  const received: string[] = [];
  const stop = new AbortController();
  const listener = {
    opened: () => void received.push('opened'),
    event: (event: { action: string; instance: string | null }) =>
      void received.push(`${event.action} ${event.instance}`),
  };
  const ended = streams.events(listener, stop.signal);
  ended.catch(() => undefined);
  return { received, stop, ended };
}

/** Starts a server whose event stream the test controls. Like Incus, it pings as soon as it listens. */
async function serving(opened: (socket: WebSocket) => unknown): Promise<FakeIncus> {
  return fakeIncus({
    upgrade: (_url, accept) =>
      void accept().then((socket) => {
        socket.ping('keepalive');
        opened(socket);
      }),
  });
}

const eventually = async (what: () => boolean): Promise<void> => {
  for (const end = Date.now() + 20_000; !what() && Date.now() < end;) await delay(5);
  expect(what()).toBe(true);
};

test.each([
  ['/1.0/instances/alice-container', 'alice-container'],
  ['/1.0/instances/alice-container?project=default', 'alice-container'],
  ['/1.0/instances/alice-container/snapshots/s1', 'alice-container'],
  ['/1.0/instances/alice-container/snapshots/s1?project=x&y=/1.0/instances/bob', 'alice-container'],
  ['/1.0/instances/%61lice', 'alice'],
  ['/1.0/instances/alice%20bob', null],
  ['/1.0/instances/%2e%2e', null],
  ['/1.0/instances/%', null],
  ['/1.0/instances/', null],
  ['/1.0/instances', null],
  [`/1.0/instances/${'a'.repeat(64)}`, null],
  ['/1.0/images/0123456789ab', null],
  ['x/1.0/instances/alice', null],
  ['', null],
])('instanceOf returns the instance of %j: %j', (source, name) => {
  expect(instanceOf(source)).toBe(name);
});

test.each([
  ['', 'not JSON'],
  ['nonsense', 'not JSON'],
  ['null', 'null'],
  ['[]', 'a list'],
  ['{}', 'empty'],
  [message('instance-started', '/1.0/instances/a').replace('lifecycle', 'logging'), 'of another type'],
  [message('instance-started', '/1.0/instances/a').replace(at, 'yesterday'), 'without a time'],
  [message('Instance Started', '/1.0/instances/a'), 'with an invalid action'],
  [message('', '/1.0/instances/a'), 'without an action'],
  [message('a'.repeat(65), '/1.0/instances/a'), 'with an endless action'],
  [message('instance-started', `/1.0/instances/${'a'.repeat(5000)}`), 'with an endless source'],
  [JSON.stringify({ type: 'lifecycle', timestamp: at, metadata: { action: 1, source: 2 } }), 'with numbers'],
  ['['.repeat(100_000), 'deep'],
])('parseEvent ignores %j: %s', (text) => {
  expect(parseEvent(text)).toBeUndefined();
});

test('parseEvent returns the action, the instance, and the time as Incus wrote it', () => {
  expect(parseEvent(message('instance-started', '/1.0/instances/a'))).toEqual({
    action: 'instance-started',
    instance: 'a',
    at,
  });
  expect(parseEvent(message('image-created', '/1.0/images/abc'))).toEqual({
    action: 'image-created',
    instance: null,
    at,
  });
});

describe('following events', () => {
  it('reports when the stream is open, then every event in order, and ignores other messages', async () => {
    let asked = '';
    const { streams } = await fakeIncus({
      upgrade(url, accept) {
        asked = `${url.pathname}${url.search}`;
        void accept().then((socket) => {
          for (const text of [
            message('instance-created', '/1.0/instances/a'),
            'garbage',
            '{}',
            message('instance-started', '/1.0/instances/a?project=p'),
          ])
            socket.send(text);
          socket.send(Buffer.from([0xff, 0xfe]));
          socket.send(message('image-deleted', '/1.0/images/1'));
        });
      },
    });
    const { received, stop, ended } = follow(streams);
    await eventually(() => received.length === 4);
    stop.abort();
    await ended;
    expect(asked).toBe('/1.0/events?type=lifecycle');
    expect(received).toEqual(['opened', 'instance-created a', 'instance-started a', 'image-deleted null']);
  });

  it('reports the stream as open at the first ping of Incus, or else after a while', async () => {
    for (const [opened, beginMs] of [
      [(socket: WebSocket) => socket.ping('keepalive'), 60_000],
      [() => undefined, 60],
    ] as const) {
      const { path } = await fakeIncus({ upgrade: (_url, accept) => void accept().then(opened) });
      const { received, stop, ended } = follow(new SocketStreams(path, { ...limits, beginMs }));
      await eventually(() => received.length === 1);
      await delay(100);
      stop.abort();
      await ended;
      expect(received).toEqual(['opened']);
    }
  });

  it('reports nothing after it was aborted', async () => {
    const { streams } = await serving((socket) => {
      const timer = setInterval(() => socket.send(message('instance-updated', '/1.0/instances/a')), 1);
      socket.on('close', () => clearInterval(timer));
    });
    const { received, stop, ended } = follow(streams);
    await eventually(() => received.length > 3);
    stop.abort();
    const before = received.length;
    await ended;
    await delay(30);
    expect(received).toHaveLength(before);
  });

  it('resolves if it is aborted before or during opening', async () => {
    let asked = 0;
    const { streams } = await fakeIncus({ upgrade: () => (asked += 1) });
    const stopped = AbortSignal.abort();
    await streams.events({ opened: () => undefined, event: () => undefined }, stopped);
    expect(asked).toBe(0);
    const { stop, received, ended } = follow(streams);
    await eventually(() => asked === 1);
    stop.abort();
    await ended;
    expect(received).toEqual([]);
  });

  it('fails if the socket is missing or not a socket', async () => {
    const folder = await temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    for (const path of [join(folder, 'nothing'), join(folder, 'file'), folder]) {
      const failure = await failureOf(follow(new SocketStreams(path, limits)).ended);
      expect(failure, path).toMatchObject({ code: 'incus-unavailable', what: 'Incus', next: 'see "doctor"' });
    }
  });

  it('fails if it is refused, answered with garbage, or hung up on', async () => {
    for (const reply of [
      'HTTP/1.1 403 Forbidden\r\n\r\n',
      'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}',
      'SSH-2.0-nonsense\r\n',
      '',
    ]) {
      const { streams } = await fakeIncus({ upgrade: (_url, _accept, socket) => void socket.end(reply) });
      const { received, ended } = follow(streams);
      expect(await failureOf(ended), reply).toMatchObject({ code: 'incus-unavailable' });
      expect(received).toEqual([]);
    }
  });

  it('fails if the stream does not open in time', async () => {
    const { streams } = await fakeIncus({ upgrade: () => undefined });
    expect(await failureOf(follow(streams).ended)).toMatchObject({
      code: 'incus-unavailable',
      why: 'its server did not open a stream within 500 milliseconds',
    });
  });

  it('fails when the server ends the stream, cleanly or not', async () => {
    for (const end of [(socket: WebSocket) => socket.close(), (socket: WebSocket) => socket.terminate()]) {
      const { streams } = await serving((socket) => setTimeout(() => end(socket), 20));
      const { received, ended } = follow(streams);
      expect(await failureOf(ended)).toMatchObject({ code: 'incus-unavailable', why: 'its event stream ended' });
      expect(received).toEqual(['opened']);
    }
  });

  it('fails when the server stops responding, and not before', async () => {
    const lively = await serving(() => undefined);
    const { stop, ended } = follow(lively.streams);
    const still = await serving((socket) => socket.pause());
    const started = performance.now();
    expect(await failureOf(follow(still.streams).ended)).toMatchObject({
      code: 'incus-unavailable',
      why: 'its event stream stopped responding',
    });
    expect(performance.now() - started).toBeGreaterThanOrEqual(
      limits.keepalive.intervalMs * limits.keepalive.maxMissed,
    );
    await delay(limits.keepalive.intervalMs * 6);
    stop.abort();
    await ended;
  });

  it('fails at a message that is too large, and does not report it', async () => {
    const { streams } = await serving((socket) =>
      socket.send(message('instance-started', '/1.0/instances/a').padEnd(300 * 1024)),
    );
    const { received, ended } = follow(streams);
    expect(await failureOf(ended)).toMatchObject({ code: 'incus-unavailable' });
    expect(received).toEqual(['opened']);
  });

  it('fails with the error of its listener', async () => {
    const { streams } = await serving((socket) => socket.send(message('instance-started', '/1.0/instances/a')));
    const event = (): never => {
      throw new Error('the listener is broken');
    };
    const failure = await failureOf(streams.events({ opened: () => undefined, event }, new AbortController().signal));
    expect(failure).toMatchObject({ code: 'internal', why: 'the listener is broken' });
  });
});

test('incusSocketPath returns the socket that the client of Incus uses', () => {
  const none = (): boolean => false;
  expect(incusSocketPath({ INCUS_SOCKET: '/a/s', INCUS_DIR: '/b' }, none)).toBe('/a/s');
  expect(incusSocketPath({ INCUS_SOCKET: '', INCUS_DIR: '/b' }, none)).toBe('/b/unix.socket');
  expect(incusSocketPath({ INCUS_DIR: '' }, none)).toBe('/var/lib/incus/unix.socket');
  expect(incusSocketPath({}, (path) => path === '/run/incus/unix.socket')).toBe('/run/incus/unix.socket');
});
