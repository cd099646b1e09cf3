import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, test } from 'vitest';
import { SocketStreams } from '../../../../src/host/incus/streams.ts';
import type { HostTerminal, IncusStreams } from '../../../../src/host/incus/streams.ts';
import { failureOf } from '../../../unit/simulated/support.ts';
import { answer, fakeExec, fakeIncus, limits, refusal, temporaryFolder } from './fakeIncus.ts';

const request = {
  instance: 'alice-container',
  argv: ['bash', '-l'],
  environment: { TERM: 'xterm' },
  columns: 90,
  rows: 30,
};

const eventually = async (what: () => boolean): Promise<void> => {
  for (const end = Date.now() + 20_000; !what() && Date.now() < end;) await delay(5);
  expect(what()).toBe(true);
};

/** Collects everything that a terminal prints from now on. */
function collect(terminal: HostTerminal): { bytes(): Buffer } {
  const pieces: Buffer[] = [];
  terminal.onData((data) => void pieces.push(data));
  return { bytes: () => Buffer.concat(pieces) };
}

describe('a terminal', () => {
  it('is requested from Incus with its program, environment and size', async () => {
    const exec = await fakeExec(async (self) => (await self.data).send(Buffer.from('$ ')));
    const terminal = await exec.streams.terminal(request);
    expect(exec.posted).toEqual([
      {
        url: '/1.0/instances/alice-container/exec',
        body: {
          command: ['bash', '-l'],
          environment: { TERM: 'xterm' },
          interactive: true,
          'wait-for-websocket': true,
          width: 90,
          height: 30,
        },
      },
    ]);
    const { bytes } = collect(terminal);
    await exec.finish(0);
    expect(await terminal.exit).toBe(0);
    expect(bytes().toString()).toBe('$ ');
  });

  it('escapes a hostile instance name', async () => {
    const exec = await fakeExec(async (self) => (await self.data).send(Buffer.from('$ ')));
    await exec.streams.terminal({ ...request, instance: '../images?x=#y' });
    expect(exec.posted[0]?.url).toBe('/1.0/instances/..%2Fimages%3Fx%3D%23y/exec');
  });

  it.each([0, 3, 137, 255])('resolves with exit status %d after all output', async (status) => {
    const bytes = randomBytes(1_000_000);
    const exec = await fakeExec(async (self) => {
      const data = await self.data;
      for (let from = 0; from < bytes.length; from += 32_768) data.send(bytes.subarray(from, from + 32_768));
      await self.finish(status);
    });
    const terminal = await exec.streams.terminal(request);
    const { bytes: got } = collect(terminal);
    expect(await terminal.exit).toBe(status);
    expect(got().equals(bytes)).toBe(true);
  });

  it('opens for a program that prints nothing, and resolves with its exit status', async () => {
    const quick = await fakeExec((self) => self.finish(4));
    expect(await (await quick.streams.terminal(request)).exit).toBe(4);
    const slow = await fakeExec();
    const terminal = await slow.streams.terminal(request);
    await slow.finish(5);
    expect(await terminal.exit).toBe(5);
  });

  it('passes on typed data, whole and in order, and the size', async () => {
    const exec = await fakeExec();
    const terminal = await exec.streams.terminal(request);
    expect(terminal.write(Buffer.from([0x1b, 0x5b, 0x41, 0xff]))).toBe(true);
    terminal.write(Buffer.from('ls\r'));
    terminal.resize(132, 50);
    terminal.resize(0, 1e9);
    await eventually(() => exec.typed.length === 2 && exec.controls.length === 2);
    expect(Buffer.concat(exec.typed)).toEqual(Buffer.from('\u001b[A\u00ffls\r', 'latin1'));
    expect(exec.controls).toEqual([
      { command: 'window-resize', args: { width: '132', height: '50' } },
      { command: 'window-resize', args: { width: '1', height: '65535' } },
    ]);
  });

  it('reports when too much data is unread, and when it has been read', async () => {
    const exec = await fakeExec();
    const terminal = await exec.streams.terminal(request);
    let drained = 0;
    terminal.onDrain(() => {
      drained++;
    });
    (await exec.data).pause();
    const piece = Buffer.alloc(64 * 1024, 'x');
    let pieces = 1;
    while (terminal.write(piece) && pieces < 1000) pieces++;
    expect(pieces).toBeGreaterThan(3);
    expect(pieces).toBeLessThan(100);
    await delay(30);
    expect(drained).toBe(0);
    (await exec.data).resume();
    await eventually(() => drained === 1);
    await eventually(() => Buffer.concat(exec.typed).length === pieces * piece.length);
    expect(terminal.write(Buffer.from('x'))).toBe(true);
  });

  it('holds the output back while it is paused and until there is a listener', async () => {
    const piece = randomBytes(32_768);
    const total = 800;
    const exec = await fakeExec(async (self) => {
      const data = await self.data;
      for (let n = 0; n < total; n++) data.send(piece);
      await self.finish(0);
    });
    const terminal = await exec.streams.terminal(request);
    const server = await exec.data;
    // There is no listener yet, so the server cannot send everything.
    await delay(50);
    expect(server.bufferedAmount).toBeGreaterThan((total / 2) * piece.length);
    let bytes = 0;
    terminal.onData((data) => {
      bytes += data.length;
      if (bytes === 10 * piece.length) terminal.pause();
    });
    await eventually(() => bytes === 10 * piece.length);
    await delay(50);
    expect(bytes).toBe(10 * piece.length);
    expect(server.bufferedAmount).toBeGreaterThan((total / 2) * piece.length);
    let ended = false;
    void terminal.exit.then(() => {
      ended = true;
    });
    await delay(limits.keepalive.intervalMs * (limits.keepalive.maxMissed + 2));
    expect(ended).toBe(false);
    terminal.resume();
    expect(await terminal.exit).toBe(0);
    expect(bytes).toBe(total * piece.length);
  });

  it('hangs up the program when it is closed, and releases it', async () => {
    const exec = await fakeExec(async (self) => (await self.data).send(Buffer.from('$ ')));
    const terminal = await exec.streams.terminal(request);
    const { bytes } = collect(terminal);
    const [data, control] = await Promise.all([exec.data, exec.control]);
    control.on('message', () => {
      expect(exec.controls).toEqual([{ command: 'signal', signal: 1 }]);
      void exec.finish(129);
    });
    terminal.close();
    terminal.close();
    data.send(Buffer.from('more'));
    expect(await terminal.exit).toBe(129);
    expect(bytes().toString()).toBe('$ ');
    expect([data.readyState, control.readyState]).toEqual([data.CLOSED, control.CLOSED]);
    expect(terminal.write(Buffer.from('x'))).toBe(true);
    terminal.resize(1, 1);
    terminal.close();
  });

  it('ends the control websocket of a program that ignores the hangup, so that Incus kills it', async () => {
    const exec = await fakeExec();
    const terminal = await exec.streams.terminal(request);
    const control = await exec.control;
    const started = performance.now();
    terminal.close();
    await new Promise((resolve) => control.once('close', resolve));
    expect(performance.now() - started).toBeGreaterThanOrEqual(limits.closeMs - 2);
    // An Incus that no longer answers is not waited for either.
    expect(await failureOf(terminal.exit)).toMatchObject({
      code: 'incus-unavailable',
      why: 'its server did not report how the program ended',
    });
  });
});

describe('opening a terminal', () => {
  const refusing = async (document: unknown, status = 400): Promise<IncusStreams> =>
    (await fakeIncus({ request: (_request, _body, response) => answer(response, document, status) })).streams;

  it.each([
    [refusal('Instance not found', 404), 'not-found', 'no such instance'],
    [refusal('Instance is not running', 400), 'wrong-state', 'it is not running'],
    [refusal('Instance is frozen', 400), 'wrong-state', 'it is frozen'],
    [refusal('bad \u001b[31m luck', 500), 'program-failed', 'bad \\u{1b}[31m luck'],
    [
      { type: 'async', metadata: { id: '../../x', metadata: { fds: {} } } },
      'unexpected-output',
      'its operation has an unexpected format',
    ],
    [{ type: 'async', metadata: null }, 'unexpected-output', 'its operation has an unexpected format'],
    [{ error: 7 }, 'unexpected-output', 'the reply of Incus has an unexpected format'],
    [[], 'unexpected-output', 'the reply of Incus has an unexpected format'],
    [
      { type: 'sync', padding: 'x'.repeat(1_100_000) },
      'unexpected-output',
      'Incus answered with more than 1048576 bytes',
    ],
  ])('fails if Incus answers %j', async (document, code, why) => {
    expect(await failureOf((await refusing(document)).terminal(request))).toMatchObject({ code, why });
  });

  it('fails if Incus answers without JSON, does not answer, or hangs up', async () => {
    const html = await fakeIncus({ request: (_request, _body, response) => void response.end('<html>') });
    expect(await failureOf(html.streams.terminal(request))).toMatchObject({ code: 'unexpected-output' });
    const silent = await fakeIncus({});
    expect(await failureOf(silent.streams.terminal(request))).toMatchObject({
      code: 'timeout',
      why: 'Incus did not answer within 500 milliseconds',
    });
    const half = await fakeIncus({
      request: (_request, _body, response) => void response.writeHead(200, { 'content-length': '100' }).write('{'),
    });
    expect(await failureOf(half.streams.terminal(request))).toMatchObject({ code: 'timeout' });
    const rude = await fakeIncus({ request: (incoming) => void incoming.socket.destroy() });
    expect(await failureOf(rude.streams.terminal(request))).toMatchObject({ code: 'incus-unavailable' });
    const none = new SocketStreams(join(await temporaryFolder(), 'none'), limits);
    expect(await failureOf(none.terminal(request))).toMatchObject({
      code: 'incus-unavailable',
      next: 'see "doctor"',
    });
  });

  it('fails if its websockets do not open, and leaves nothing open', async () => {
    const open = new Set<unknown>();
    const { streams } = await fakeIncus({
      request: (incoming, _body, response) => {
        open.add(incoming);
        incoming.socket.on('close', () => open.delete(incoming));
        if (incoming.method === 'POST') {
          answer(response, {
            type: 'async',
            metadata: {
              id: '0d7a5b4e-3b0f-4a8e-9a55-9b1f7f6a1c01',
              metadata: { fds: { 0: 'a'.repeat(64), control: 'b'.repeat(64) } },
            },
          });
        }
      },
      upgrade: (url, accept, socket) => {
        open.add(socket);
        // Without reading, the socket would not see that it was closed.
        const gone = (): boolean => open.delete(socket);
        socket.on('end', gone).on('close', gone).resume();
        if (url.search.includes('aaaa')) void accept();
      },
    });
    expect(await failureOf(streams.terminal(request))).toMatchObject({ code: 'incus-unavailable' });
    await eventually(() => open.size === 0);
  });

  it('fails if the program does not exist, cannot be executed, or is not named', async () => {
    for (const [error, why] of [
      ['Command not found', 'it does not exist in instance "alice-container"'],
      ['Command not executable', 'it cannot be executed in instance "alice-container"'],
    ] as const) {
      const exec = await fakeExec(async (self) => {
        (await self.data).send('');
        self.fail(error);
      });
      expect(await failureOf(exec.streams.terminal(request))).toMatchObject({
        code: 'program-missing',
        what: 'program "bash"',
        why,
      });
    }
    const exec = await fakeExec();
    expect(await failureOf(exec.streams.terminal({ ...request, argv: [] }))).toMatchObject({ code: 'program-missing' });
    expect(exec.posted).toEqual([]);
  });

  it('is retried if Incus temporarily could not start the program', async () => {
    const exec = await fakeExec(async (self, attempt) => {
      if (attempt < 3) self.fail('Failed to retrieve PID of executing child process');
      else (await self.data).send(Buffer.from('$ '));
    });
    const terminal = await exec.streams.terminal(request);
    expect(exec.posted).toHaveLength(3);
    collect(terminal);
    await exec.finish(0);
    expect(await terminal.exit).toBe(0);
  });
});

describe('the exit status of a terminal', () => {
  test.each([
    ['Command not found', 127],
    ['Command not executable', 126],
  ])('is that of the shell if Incus reports "%s" after some output', async (error, status) => {
    const exec = await fakeExec(async (self) => (await self.data).send(Buffer.from('$ ')));
    const terminal = await exec.streams.terminal(request);
    collect(terminal);
    (await exec.data).send('');
    exec.fail(error);
    expect(await terminal.exit).toBe(status);
  });

  const opened = async (): Promise<[Awaited<ReturnType<typeof fakeExec>>, HostTerminal]> => {
    const exec = await fakeExec(async (self) => (await self.data).send(Buffer.from('$ ')));
    const terminal = await exec.streams.terminal(request);
    collect(terminal);
    return [exec, terminal];
  };

  it('is unknown if Incus ends, cuts off the output, or stops responding', async () => {
    const [dead, first] = await opened();
    dead.die();
    expect(await failureOf(first.exit)).toMatchObject({ code: 'incus-unavailable' });

    const [broken, second] = await opened();
    (await broken.data).terminate();
    expect(await failureOf(second.exit)).toMatchObject({
      code: 'incus-unavailable',
      why: 'lost the connection to the terminal',
    });

    const [still, third] = await opened();
    (await still.control).pause();
    expect(await failureOf(third.exit)).toMatchObject({
      code: 'incus-unavailable',
      why: 'its server stopped responding',
    });
  });

  it('is unknown after a message that is too large, and after an invalid result', async () => {
    const [large, first] = await opened();
    (await large.data).send(Buffer.alloc(5 * 1024 * 1024));
    expect(await failureOf(first.exit)).toMatchObject({ code: 'incus-unavailable' });

    const [odd, second] = await opened();
    (await odd.data).send('');
    odd.fail('\u001b]0;odd\u0007');
    expect(await failureOf(second.exit)).toMatchObject({ code: 'program-failed', why: '\\u{1b}]0;odd\\u{7}' });
  });

  it('is unknown if the output was cut off before its end', async () => {
    const exec = await fakeExec(async (self) => (await self.data).send(Buffer.from('$ ')));
    const terminal = await exec.streams.terminal(request);
    collect(terminal);
    (await exec.data).terminate();
    await exec.finish(0).catch(() => undefined);
    expect(await failureOf(terminal.exit)).toMatchObject({ code: 'incus-unavailable' });
  });

  it('may be ignored', async () => {
    const [dead] = await opened();
    dead.die();
    await delay(30);
  });
});
