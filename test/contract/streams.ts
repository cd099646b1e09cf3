/**
 * Checks of terminals, events and console logs. They run against the simulated host and against a real Incus, and both
 * must pass.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import type { Incus, InstanceSpec } from '../../src/host/incus/incus.ts';
import type { HostTerminal, IncusStreams, TerminalRequest } from '../../src/host/incus/streams.ts';

export interface StreamWorld {
  readonly incus: Incus;
  readonly streams: IncusStreams;
  /** Image of the test instance. */
  readonly image: string;
  readonly spec: InstanceSpec;
}

const instance = 'cxt-streams';
const shell: TerminalRequest = { instance, argv: ['bash'], environment: { TERM: 'dumb' }, columns: 90, rows: 30 };

async function eventually(what: () => boolean, of: () => string): Promise<void> {
  for (const end = Date.now() + 20_000; !what() && Date.now() < end;) await delay(10);
  expect(what(), of()).toBe(true);
}

export interface Session {
  readonly terminal: HostTerminal;
  text(): string;
  /** Types keys and waits until `until` appears in new output. */
  type(keys: string, until: string | RegExp): Promise<void>;
}

export function session(terminal: HostTerminal): Session {
  let text = '';
  terminal.onData((data) => (text += data.toString('latin1')));
  return {
    terminal,
    text: () => text,
    async type(keys, until) {
      const from = text.length;
      terminal.write(Buffer.from(keys));
      const rest = (): string => text.slice(from);
      await eventually(
        () => (typeof until === 'string' ? rest().includes(until) : until.test(rest())),
        () => JSON.stringify(rest().slice(-500)),
      );
    },
  };
}

export async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Failure);
  return error as Failure;
}

export interface Followed {
  /** Action and instance of each event. */
  readonly received: string[];
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** Follows the events of instances. Resolves when the stream is open. */
export async function follow(streams: IncusStreams): Promise<Followed> {
  const received: string[] = [];
  const stop = new AbortController();
  const opened = Promise.withResolvers<undefined>();
  const ended = streams.events(
    {
      opened: () => opened.resolve(undefined),
      event: (event) => void received.push(`${event.action} ${event.instance}`),
    },
    stop.signal,
  );
  await Promise.race([opened.promise, ended]);
  return {
    received,
    ended,
    stop: () => {
      stop.abort();
      return ended;
    },
  };
}

async function checkTerminal({ streams }: StreamWorld): Promise<void> {
  const { terminal, type, text } = session(await streams.terminal(shell));
  await eventually(() => text().includes('# '), text);
  await type('stty size\r', /30 90\r?\n/);
  terminal.resize(132, 50);
  await type('stty size\r', /50 132\r?\n/);
  await type('echo one two\r', /\none two\r?\n/);
  await type('nosuchthing\r', 'bash: nosuchthing: command not found');
  await type('half\u0003', '^C');

  // A pause holds back a flood, and Ctrl-C ends it.
  await type('yes flood\r', 'flood\r\nflood\r\n');
  await eventually(
    () => text().length > 200_000,
    () => `${text().length}`,
  );
  terminal.pause();
  const { length } = text();
  await delay(200);
  expect(text()).toHaveLength(length);
  terminal.resume();
  await eventually(
    () => text().length > length + 200_000,
    () => `${text().length}`,
  );
  await type('\u0003', /\^C[^]*# $/);

  // A megabyte arrives complete.
  const from = text().length;
  await type('seq 150000\r', /\r\n150000\r\n[^]*# $/);
  const counted = text().slice(from).split('\r\n');
  const first = counted.indexOf('1');
  expect(counted.slice(first, first + 150_000)).toEqual(Array.from({ length: 150_000 }, (_, n) => String(n + 1)));

  await type('exit 3\r', 'exit');
  expect(await terminal.exit).toBe(3);
}

async function checkEnds({ streams }: StreamWorld): Promise<void> {
  // Ctrl-D after a mistyped command gives the exit status of the shell, although Incus reports it as an error.
  const mistyped = session(await streams.terminal(shell));
  await mistyped.type('nosuchthing\r', 'not found');
  mistyped.terminal.write(Buffer.from('\u0004'));
  expect(await mistyped.terminal.exit).toBe(127);

  const closed = session(await streams.terminal(shell));
  await eventually(() => closed.text() !== '', closed.text);
  closed.terminal.close();
  expect(await closed.terminal.exit).toBe(129);

  expect(await failureOf(streams.terminal({ ...shell, instance: 'cxt-nosuch' }))).toMatchObject({
    code: 'not-found',
    what: 'instance "cxt-nosuch"',
  });
  expect(await failureOf(streams.terminal({ ...shell, argv: ['/no/such/program'] }))).toMatchObject({
    code: 'program-missing',
    what: 'program "/no/such/program"',
  });
}

/** Waits for the login prompt and returns the console log. */
export async function booted(incus: Incus, name: string): Promise<string> {
  let log = '';
  for (const end = Date.now() + 30_000; !log.endsWith('login: ') && Date.now() < end;) {
    log = await incus.consoleLog(name);
    await delay(50);
  }
  return log;
}

/** Runs all checks, and removes the test instance. */
export async function checkStreams(world: StreamWorld): Promise<void> {
  const { incus, streams, image, spec } = world;
  const events = await follow(streams);
  let seen = 0;
  /**
   * Waits for an event and returns the new events of the instance, without `instance-console-retrieved`, which can come
   * at any time.
   */
  const newEvents = async (last: string): Promise<string[]> => {
    await eventually(
      () => events.received.slice(seen).includes(`${last} ${instance}`),
      () => `${last}: ${events.received.slice(seen).join(', ')}`,
    );
    const found = events.received
      .slice(seen)
      .filter((each) => each.endsWith(` ${instance}`) && !each.startsWith('instance-console'));
    seen = events.received.length;
    return found.map((each) => each.split(' ')[0] ?? '');
  };

  await incus.create(instance, image, spec);
  expect(await newEvents('instance-created')).toEqual(['instance-created']);
  expect(await incus.consoleLog(instance)).toBe('');
  expect(await failureOf(streams.terminal(shell))).toMatchObject({ code: 'wrong-state', why: 'it is not running' });
  await incus.start(instance);
  expect(await newEvents('instance-started')).toEqual(['instance-started']);

  const log = await booted(incus, instance);
  // systemd may first name a kernel module that the machine has not.
  expect(log).toMatch(
    /^(?:Failed to find module '[a-z0-9]+'\n)*systemd [^]*Welcome to [^]*\[ {2}OK {2}\] Reached target [^]*\ncxt-streams login: $/,
  );
  expect(await incus.consoleLog(instance)).toBe(log);
  await newEvents('instance-console-retrieved');
  expect(await failureOf(incus.consoleLog('cxt-nosuch'))).toMatchObject({ code: 'not-found' });

  await checkTerminal(world);
  await checkEnds(world);
  await incus.patch(instance, { config: { 'user.x': '1' } });
  expect(new Set(await newEvents('instance-updated'))).toEqual(new Set(['instance-exec', 'instance-updated']));
  await incus.restart(instance);
  expect(await newEvents('instance-restarted')).toEqual(['instance-restarted']);
  // A system that has only begun to boot ignores the request to stop.
  expect(await booted(incus, instance)).not.toBe(log);
  await incus.stop(instance);
  expect(await newEvents('instance-shutdown')).toEqual(['instance-shutdown']);
  expect(await incus.consoleLog(instance)).not.toBe('');
  await incus.start(instance);
  expect(await newEvents('instance-started')).toEqual(['instance-started']);
  const { terminal } = session(await streams.terminal(shell));
  await incus.stop(instance, { force: true });
  expect(await terminal.exit).toBe(137);
  expect(await newEvents('instance-stopped')).toEqual(['instance-exec', 'instance-stopped']);
  await incus.start(instance);
  await incus.delete(instance);
  expect(await newEvents('instance-deleted')).toEqual(['instance-started', 'instance-stopped', 'instance-deleted']);
  await events.stop();
}
