/** Keeping the front running: with a fake starter, and with a real child. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ChildStarter } from '../../../../src/core/processes/childStarter.ts';
import { WatchedProcess, type WatchedProcessOptions } from '../../../../src/core/processes/watchedProcess.ts';
import { frontKind, type ProcessStarter } from '../../../../src/core/processes/processStarter.ts';
import { bindPort, type Listener } from '../../../../src/core/processes/listener.ts';
import { messages } from '../../../../src/protocol/messages.ts';
import { FakeStarter, listener } from './fakeFront.ts';

const log = pino({ level: 'silent' });

function keep(starter: ProcessStarter, options: Partial<WatchedProcessOptions> = {}) {
  const events = { serving: 0, fatal: [] as string[], replaced: [] as string[] };
  const front = new WatchedProcess({
    kind: frontKind,
    starter,
    listener,
    log,
    serve: () => undefined,
    onServing: () => events.serving++,
    onFatal: (reason) => events.fatal.push(reason),
    onReplaced: (why) => events.replaced.push(why),
    ...options,
  });
  return { front, events };
}

describe('a front', () => {
  afterEach(() => void vi.useRealTimers());

  async function serving() {
    // Messages travel by setImmediate, which stays real.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'] });
    const starter = new FakeStarter();
    const { front, events } = keep(starter);
    await vi.waitUntil(() => starter.fronts.length === 1);
    const [first] = starter.fronts;
    if (first === undefined) throw new Error('no front');
    await first.serves();
    await vi.waitUntil(() => events.serving === 1);
    first.live();
    return { starter, front, events, first };
  }

  it('is replaced when it ends, and the reason is reported', async () => {
    const { starter, events, first, front } = await serving();
    first.end({ signal: 'SIGSEGV' });
    await vi.advanceTimersByTimeAsync(1000);
    expect(starter.fronts).toHaveLength(2);
    expect(events).toEqual({ serving: 1, fatal: [], replaced: ['ended'] });
    await front.stop('over');
    expect(starter.fronts[1]?.drained).toBe(true);
  });

  it('is killed when it hangs for more than 5 s, and the reason is reported', async () => {
    const { starter, events, first, front } = await serving();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(first.kills).toBe(0);
    first.hang();
    await vi.advanceTimersByTimeAsync(4900);
    expect(first.kills).toBe(0);
    await vi.advanceTimersByTimeAsync(5000);
    expect(first.kills).toBe(1);
    expect(starter.fronts).toHaveLength(2);
    expect(events.replaced).toEqual(['stood-still']);
    await front.stop('over');
  });

  it('is not killed while any byte comes from it, even if core reads it late', async () => {
    const { events, first, front } = await serving();
    await vi.advanceTimersByTimeAsync(2000);
    first.hang();
    // The beginning of a message, which cannot be handled yet.
    first.raw('Content-Length: 100\r\n\r\n{');
    for (let second = 0; second < 20; second++) {
      first.raw(' ');
      await vi.advanceTimersByTimeAsync(1000);
    }
    // core has paused reading, so it cannot know whether the front lives.
    first.channel.pause();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(first.kills).toBe(0);
    first.channel.resume();
    await vi.advanceTimersByTimeAsync(7000);
    expect(first.kills).toBe(1);
    expect(events.replaced).toEqual(['stood-still']);
    await front.stop('over');
  });

  it('that closes its connection to core and lives on is killed and replaced', async () => {
    const { starter, events, first, front } = await serving();
    first.connection.dispose();
    first.channel.destroy();
    await vi.advanceTimersByTimeAsync(3000);
    expect(first.kills).toBe(1);
    expect(starter.fronts).toHaveLength(2);
    expect(events.replaced).toEqual(['ended']);
    await front.stop('over');
  });

  it('that dies again and again is restarted at increasing intervals', async () => {
    const { starter, first, front } = await serving();
    first.end({});
    for (let second = 0; second < 60; second++) {
      await vi.advanceTimersByTimeAsync(1000);
      starter.fronts.at(-1)?.end({ code: 1 });
    }
    expect(starter.fronts.length).toBeGreaterThan(6);
    expect(starter.fronts.length).toBeLessThan(15);
    await front.stop('over');
  });

  it('that has run for half a minute is replaced at once, and one that dies soon after its start after a pause', async () => {
    const { starter, first, front } = await serving();
    await vi.advanceTimersByTimeAsync(31_000);
    first.end({ signal: 'SIGSEGV' });
    await vi.advanceTimersByTimeAsync(1);
    expect(starter.fronts).toHaveLength(2);
    starter.fronts[1]?.end({ signal: 'SIGSEGV' });
    await vi.advanceTimersByTimeAsync(150);
    expect(starter.fronts).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(100);
    expect(starter.fronts).toHaveLength(3);
    await front.stop('over');
  });

  it('that does not end by itself is killed after the grace period', async () => {
    const { first, front } = await serving();
    first.connection.onNotification(messages.drain, () => undefined);
    const stopped = front.stop('over', 3000);
    await vi.advanceTimersByTimeAsync(2900);
    expect(first.kills).toBe(0);
    await vi.advanceTimersByTimeAsync(200);
    await stopped;
    expect(first.kills).toBe(1);
  });

  it('that ends before it accepts connections makes the start fail, with its last line of output', async () => {
    const starter = new FakeStarter();
    const { events } = keep(starter);
    await vi.waitUntil(() => starter.fronts.length === 1);
    starter.fronts[0]?.end({ code: 1, lastLine: 'Failed to start transient service unit: no such user' });
    await vi.waitUntil(() => events.fatal.length > 0);
    expect(events).toEqual({
      serving: 0,
      fatal: ['Failed to start transient service unit: no such user'],
      replaced: [],
    });
    expect(starter.fronts).toHaveLength(1);
  });

  it('that cannot be started makes the start fail', async () => {
    const { events } = keep({ start: () => Promise.reject(new Error('no systemctl')) });
    await vi.waitUntil(() => events.fatal.length > 0);
    expect(events.fatal).toEqual([expect.stringContaining('no systemctl')]);
  });
});

const imported = (path: string): string => pathToFileURL(join(import.meta.dirname, '../../../../src', path)).href;

/** The program of a minimal front. It finds its sockets as src/front/main.ts does. */
const child = `
  import { createServer, Socket } from 'node:net';
  import { connectOver, notify } from '${imported('protocol/connection.ts')}';
  import { messages } from '${imported('protocol/messages.ts')}';
  const fd = (name) => Number(process.argv.find((each) => each.startsWith(name)).split('=')[1]);
  BEFORE
  const core = connectOver(new Socket({ fd: fd('--channel') }));
  setInterval(() => notify(core, messages.alive), 1000);
  core.onNotification(messages.drain, () => process.exit(0));
  core.listen();
  createServer((socket) => socket.end(String(process.pid))).listen({ fd: fd('--listener') }, () => notify(core, messages.listening));
`;

describe('a front as a child of core', () => {
  async function childFront(
    before: string,
    act: (bound: Listener, front: WatchedProcess, events: ReturnType<typeof keep>['events']) => Promise<void>,
  ): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'containarium-front-'));
    const entry = join(folder, 'front.mjs');
    await writeFile(entry, child.replace('BEFORE', before));
    const bound = bindPort({ address: '127.0.0.1', port: 0 });
    const { front, events } = keep(new ChildStarter({ kind: frontKind, entry, log }), { listener: bound });
    try {
      await act(bound, front, events);
    } finally {
      await front.stop('the test is over');
      await rm(folder, { recursive: true });
    }
  }

  const served = (events: { serving: number }): Promise<unknown> =>
    vi.waitUntil(() => events.serving > 0, { timeout: 20_000 });

  async function pidAt({ where }: Listener): Promise<number> {
    const socket = connect(where.port, where.address);
    const [data] = (await once(socket, 'data')) as [Buffer];
    return Number(data.toString());
  }

  it('may hang for 7 s before its first sign of life, as when it loads its code on a slow machine', async () => {
    await childFront(
      'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 7000);',
      async (_bound, _front, events) => {
        await served(events);
        expect(events.replaced).toEqual([]);
      },
    );
  });

  it('is replaced without refusing a connection', async () => {
    await childFront('', async (bound, _front, events) => {
      await served(events);
      const first = await pidAt(bound);
      process.kill(first, 'SIGKILL');
      await vi.waitUntil(() => events.replaced.length === 1, { timeout: 20_000 });
      // No front accepts connections now. The new connection waits.
      const second = await pidAt(bound);
      expect(second).not.toBe(first);
    });
  });

  it('cannot gain privileges', async () => {
    await childFront(
      "import { readFileSync } from 'node:fs'; if (!/^NoNewPrivs:.1$/m.test(readFileSync('/proc/self/status', 'utf8'))) process.exit(1);",
      async (_bound, _front, events) => {
        await vi.waitUntil(() => events.serving + events.fatal.length > 0, { timeout: 20_000 });
        expect(events.fatal).toEqual([]);
      },
    );
  });
});

describe('the port', () => {
  it('cannot be bound while another program listens there, and the error says so', () => {
    const bound = bindPort({ address: '127.0.0.1', port: 0 });
    const listening = connectable(bound);
    return listening.then(async (close) => {
      expect(() => bindPort(bound.where)).toThrow(/another program is listening there \(EADDRINUSE\)/);
      await close();
    });
  });

  it('cannot be bound at an address that this machine does not have', () => {
    expect(() => bindPort({ address: '192.0.2.1', port: 0 })).toThrow(
      /this machine does not have that address \(EADDRNOTAVAIL\)/,
    );
  });

  it('can be bound at an IPv6 address', () => {
    const bound = bindPort({ address: '::1', port: 0 });
    expect(bound.where).toMatchObject({ address: '::1' });
    expect(bound.where.port).toBeGreaterThan(0);
    bound.close();
    bound.close();
  });
});

/** Listens on the bound port, as a front does. */
async function connectable(bound: Listener): Promise<() => Promise<void>> {
  const { createServer } = await import('node:net');
  const server = createServer().listen({ fd: (bound.handle as { fd: number }).fd });
  await once(server, 'listening');
  return async () => {
    server.close();
    await once(server, 'close');
  };
}
