import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { HostTerminal, LifecycleEvent } from '../../../../src/host/incus/streams.ts';
import type { FaultMode } from '../../../../src/simulated/faults/faults.ts';
import { base, Clock, devices, failureOf, fixture } from '../support.ts';
import type { Fixture } from '../support.ts';

/** Follows the events of a host. `seen` holds the action and instance of each event. */
function follow({ host }: Fixture): {
  seen: string[];
  events: LifecycleEvent[];
  stop: AbortController;
  ended: Promise<void>;
} {
  const seen: string[] = [];
  const events: LifecycleEvent[] = [];
  const stop = new AbortController();
  const ended = host.streams.events(
    {
      opened: () => void seen.push('opened'),
      event: (event) => {
        events.push(event);
        seen.push(`${event.action} ${event.instance}`);
      },
    },
    stop.signal,
  );
  ended.catch(() => undefined);
  return { seen, events, stop, ended };
}

const eventually = async (what: () => boolean): Promise<void> => {
  for (const end = Date.now() + 5000; !what() && Date.now() < end;) await delay(2);
  expect(what()).toBe(true);
};

async function running(name = 'alice-container', options: Parameters<typeof fixture>[0] = {}): Promise<Fixture> {
  const made = fixture(options);
  await made.incus.create(name, base, { config: {}, devices: devices() });
  await made.incus.start(name);
  return made;
}

const request = { instance: 'alice-container', argv: ['su', '-', 'alice'], environment: {}, columns: 80, rows: 24 };

interface Screen {
  readonly terminal: HostTerminal;
  text(): string;
  /** Types keys and waits until `until` appears in new output. */
  type(keys: string, until: string): Promise<void>;
}

async function screen(made: Fixture, changes: Partial<typeof request> = {}): Promise<Screen> {
  const terminal = await made.host.streams.terminal({ ...request, ...changes });
  let text = '';
  terminal.onData((data) => (text += data.toString()));
  return {
    terminal,
    text: () => text,
    type: async (keys, until) => {
      const from = text.length;
      terminal.write(Buffer.from(keys));
      await eventually(() => text.slice(from).includes(until));
    },
  };
}

describe('the event stream', () => {
  test("reports every change of an instance in order, by Incus's names", async () => {
    const made = fixture({ now: new Clock().now });
    const { seen, events, stop, ended } = follow(made);
    await eventually(() => seen.length === 1);
    const { incus, run } = made;
    await incus.create('a', base, { config: {}, devices: devices() });
    await incus.start('a');
    await incus.patch('a', { config: { 'user.x': '1' } });
    await incus.exec('a', ['true']);
    await incus.consoleLog('a');
    await incus.restart('a');
    await incus.stop('a');
    await incus.start('a');
    await incus.stop('a', { force: true });
    await incus.publish('a', 'one', {});
    await incus.start('a');
    await incus.delete('a');
    await incus.deleteImage('one');
    // A refused command and a query are no events.
    await run('incus', ['start', 'a']);
    await incus.instances();
    await delay(5);
    expect(seen).toEqual([
      'opened',
      'instance-created a',
      'instance-started a',
      'instance-updated a',
      'instance-exec a',
      'instance-console-retrieved a',
      'instance-restarted a',
      'instance-shutdown a',
      'instance-started a',
      'instance-stopped a',
      'image-created null',
      'image-alias-created null',
      'instance-started a',
      'instance-stopped a',
      'instance-deleted a',
      'image-alias-deleted null',
      'image-deleted null',
    ]);
    expect(events[0]?.at).toBe('2026-01-01T00:00:00.000Z');
    stop.abort();
    await ended;
  });

  test('delivers events after the call returns, and none after an abort', async () => {
    const made = fixture();
    const { seen, stop, ended } = follow(made);
    expect(seen).toEqual([]);
    await eventually(() => seen.length === 1);
    await made.incus.create('a', base, { config: {}, devices: devices() });
    stop.abort();
    await ended;
    await delay(5);
    expect(seen).toEqual(['opened']);
    await made.host.streams.events({ opened: () => seen.push('late'), event: () => undefined }, AbortSignal.abort());
    expect(seen).toEqual(['opened']);
  });

  test('reports work that outlives its client when the work is done', async () => {
    const clock = new Clock();
    const made = await running('a', {
      now: clock.now,
      faults: [{ match: { argIncludes: 'stop' }, mode: 'fail-late' }],
    });
    const { seen, stop } = follow(made);
    await eventually(() => seen.length === 1);
    await failureOf(made.incus.stop('a', { force: true }));
    await delay(5);
    expect(seen).toEqual(['opened']);
    clock.advance(1000);
    await made.incus.instances();
    await eventually(() => seen.includes('instance-stopped a'));
    stop.abort();
  });

  test('ends with the error that its listener throws', async () => {
    const made = fixture();
    const opened = (): never => {
      throw new Error('broken');
    };
    const failure = await failureOf(
      made.host.streams.events({ opened, event: () => undefined }, new AbortController().signal),
    );
    expect(failure).toMatchObject({ code: 'internal', why: 'broken' });
  });

  test.each<[FaultMode, string[]]>([
    ['fail-before', []],
    ['down', []],
    ['hang', []],
    ['fail-after', ['opened', 'instance-created a']],
  ])('ends on fault %s, after delivering %j', async (mode, seen) => {
    const made = fixture({
      lateMs: 300,
      timeScale: 0.001,
      faults: [{ match: { program: 'incus-streams', argIncludes: 'events' }, mode }],
    });
    const stream = follow(made);
    if (seen.length > 0) await eventually(() => stream.seen.length === 1);
    await made.incus.create('a', base, { config: {}, devices: devices() });
    expect(await failureOf(stream.ended)).toMatchObject({ code: 'incus-unavailable' });
    expect(stream.seen).toEqual(seen);
    // The next stream works.
    const next = follow(made);
    await eventually(() => next.seen.length === 1);
    next.stop.abort();
    await next.ended;
  });

  test('ends on an abort while it hangs', async () => {
    const made = fixture({ faults: [{ match: { program: 'incus-streams' }, mode: 'hang' }] });
    const { stop, ended, seen } = follow(made);
    await delay(5);
    stop.abort();
    await ended;
    expect(seen).toEqual([]);
  });
});

describe('a simulated terminal', () => {
  test('runs a line shell that echoes, edits, and knows its size', async () => {
    const { type, text, terminal } = await screen(await running());
    const prompt = 'alice@alice-container:~$ ';
    await eventually(() => text() === prompt);
    await type('echo helloo\u007f \u001b[A worldé\u007f\u007f d\r', prompt);
    expect(text()).toBe(`${prompt}echo helloo\b \b  worldé\b \b\b \b d\r\nhello worl d\r\n${prompt}`);
    await type('size\r', '80 x 24\r\n');
    terminal.resize(132, 50);
    await type('size\r', '132 x 50\r\n');
    await type('stty size\r', '50 132\r\n');
    await type('what is this\r', 'bash: what: command not found\r\n');
    await type('half a line\u0003', `^C\r\n${prompt}`);
    await type('\r', `\r\n${prompt}`);
    await type('x\u0004\u007f', '\b \b');
    await type('\u0004', 'exit\r\n');
    expect(await terminal.exit).toBe(130);
    expect(terminal.write(Buffer.from('x'))).toBe(true);
  });

  test.each([
    ['exit 3\r', 3],
    ['exit 300\r', 44],
    ['exit\r', 0],
    ['nosuch\r\u0004', 127],
    ['nosuch\recho\rexit\r', 0],
  ])('ends after %j with exit status %d', async (keys, status) => {
    const { terminal } = await screen(await running());
    terminal.write(Buffer.from(keys));
    expect(await terminal.exit).toBe(status);
  });

  test.each([
    [['bash', '-l'], 'root@alice-container:~# '],
    [['/bin/login', '-f', 'bob'], 'bob@alice-container:~$ '],
    [['su', '--login', 'alice'], 'alice@alice-container:~$ '],
    [['setpriv', '--reuid', 'alice', '--init-groups', 'bash', '-l'], 'alice@alice-container:~$ '],
    [['setpriv', '--reuid=alice', 'bash'], 'alice@alice-container:~$ '],
  ])('that runs %j shows the prompt %j', async (argv, prompt) => {
    const { text } = await screen(await running(), { argv });
    await eventually(() => text() === prompt);
  });

  test('holds back a flood while it is paused, loses no output, and ends the flood on Ctrl-C', async () => {
    const { terminal, text, type } = await screen(await running());
    await type('yes hello\r', 'hello\r\nhello\r\n');
    await eventually(() => text().length > 100_000);
    terminal.pause();
    const { length } = text();
    await delay(30);
    expect(text()).toHaveLength(length);
    terminal.resume();
    terminal.resume();
    await eventually(() => text().length > length + 100_000);
    await type('\u0003', '^C\r\nalice@alice-container:~$ ');
    const after = text().length;
    await delay(10);
    expect(text()).toHaveLength(after);
    await type('seq 100000\r', '\r\n100000\r\nalice@alice-container:~$ ');
    expect(text().slice(after).split('\r\n').slice(1, -1)).toEqual(
      Array.from({ length: 100_000 }, (_, n) => String(n + 1)),
    );
    terminal.close();
    expect(await terminal.exit).toBe(129);
  });

  test('keeps its output until a listener is attached', async () => {
    const made = await running();
    const terminal = await made.host.streams.terminal(request);
    terminal.write(Buffer.from('yes\r'));
    await delay(20);
    let text = '';
    terminal.onData((data) => (text += data.toString()));
    expect(text).toMatch(/^alice@alice-container:~\$ /);
    expect(text.length).toBeLessThan(10_000);
    terminal.close();
  });

  test.each([
    ['stopped', async ({ incus }: Fixture) => incus.stop('alice-container')],
    ['restarted', async ({ incus }: Fixture) => incus.restart('alice-container', { force: true })],
    ['deleted', async ({ incus }: Fixture) => incus.delete('alice-container')],
  ])('ends when its container is %s', async (_how, go) => {
    const made = await running();
    const { terminal } = await screen(made);
    await go(made);
    expect(await terminal.exit).toBe(137);
  });

  test('is refused in the cases in which a real one is', async () => {
    const made = await running();
    const { streams } = made.host;
    expect(await failureOf(streams.terminal({ ...request, instance: 'nosuch' }))).toMatchObject({
      code: 'not-found',
      what: 'instance "nosuch"',
    });
    expect(await failureOf(streams.terminal({ ...request, instance: '__proto__' }))).toMatchObject({
      code: 'not-found',
    });
    expect(await failureOf(streams.terminal({ ...request, argv: ['vi'] }))).toMatchObject({
      code: 'program-missing',
      what: 'program "vi"',
    });
    expect(await failureOf(streams.terminal({ ...request, argv: ['/opt/bash'] }))).toMatchObject({
      code: 'program-missing',
    });
    expect(await failureOf(streams.terminal({ ...request, argv: [] }))).toMatchObject({ code: 'program-missing' });
    await made.incus.stop('alice-container');
    expect(await failureOf(streams.terminal(request))).toMatchObject({ code: 'wrong-state', why: 'it is not running' });
  });

  test.each<FaultMode>(['fail-before', 'down', 'hang'])('is refused on fault %s', async (mode) => {
    const made = await running('alice-container', {
      timeScale: 0.001,
      faults: [{ match: { program: 'incus-streams', argIncludes: 'terminal' }, mode }],
    });
    expect(await failureOf(made.host.streams.terminal(request))).toMatchObject({ code: 'incus-unavailable' });
    (await made.host.streams.terminal(request)).close();
  });

  test('loses its connection after a moment on fault fail-after', async () => {
    const made = await running('alice-container', {
      lateMs: 20,
      faults: [{ match: { program: 'incus-streams' }, mode: 'fail-after' }],
    });
    const { terminal, text } = await screen(made);
    await eventually(() => text() !== '');
    expect(await failureOf(terminal.exit)).toMatchObject({
      code: 'incus-unavailable',
      why: 'lost the connection to the terminal',
    });
  });

  test('is recorded in the command log', async () => {
    const made = fixture();
    const logPath = join(made.folder, 'commands.log');
    const logged = await running('alice-container', { logPath });
    (await logged.host.streams.terminal(request)).close();
    const last = readFileSync(logPath, 'utf8').trim().split('\n').at(-1) ?? '';
    expect(JSON.parse(last)).toMatchObject({
      program: 'incus-streams',
      args: ['terminal', 'alice-container', 'su', '-', 'alice'],
      changes: false,
    });
  });
});
