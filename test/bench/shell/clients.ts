/**
 * The clients of the shell benchmark: ssh2 clients, each with a terminal of 80x24. They run in a process of their own,
 * so that their CPU time is not counted as the server's. Orders arrive over the channel of child_process.fork().
 */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import ssh2, { type Client, type ClientChannel } from 'ssh2';

/** The server under test. */
export interface Target {
  readonly port: number;
  /** Private key files of its admins. */
  readonly keys: readonly string[];
  /** Port of the echo server that measures the current round trip time of the machine. */
  readonly echo: number;
}

export type Order =
  | { readonly do: 'target'; readonly target: Target }
  /** Opens shells until `shells` are open. */
  | { readonly do: 'open'; readonly shells: number }
  /** Types keys in the first session. */
  | { readonly do: 'one-types'; readonly keys: number; readonly everyMs: number }
  /** Types this many keys in total, in all sessions in turn. */
  | { readonly do: 'all-type'; readonly keys: number; readonly everyMs: number }
  /**
   * Runs a line in the second session and types in the first one, until the second session shows the text `until`.
   */
  | { readonly do: 'run'; readonly line: string; readonly until: string; readonly everyMs: number }
  /** Waits until nothing has arrived for `quietMs`, a minute at most. */
  | { readonly do: 'settle'; readonly quietMs: number }
  | { readonly do: 'received' }
  | { readonly do: 'close' }
  /** Opens and leaves a shell repeatedly, every second time by dropping the socket. */
  | { readonly do: 'cycle'; readonly times: number };

export interface Typed {
  /** Time from writing a key to the first byte back, in milliseconds. */
  readonly latenciesMs: readonly number[];
  /** Bytes of channel data that each key causes. */
  readonly bytes: readonly number[];
  /** Round trip times of a byte to the echo server between two keys, in milliseconds. */
  readonly echoesMs: readonly number[];
  /** Number of keys without output within two seconds. */
  readonly unanswered: number;
}

/** Number of connections that are opened in parallel. */
const parallelConnects = 8;
const maxWaitMs = 30_000;
const unansweredMs = 2000;

/** The text that is typed. Each of its keys changes the screen. */
const line = 'resize alice --cpu 4 --memory 8GiB --disk-quota 100GiB';
const backspace = '\x7f';
/** Ctrl-U. */
const clearLine = '\x15';

class Session {
  readonly #socket: Socket;
  readonly client: Client;
  readonly channel: ClientChannel;
  bytes = 0;
  closed = false;
  #at = 0;
  #waiting: { readonly pattern: string; readonly found: () => void } | undefined;
  #tail = '';
  #first: (() => void) | undefined;

  constructor(socket: Socket, client: Client, channel: ClientChannel) {
    this.#socket = socket;
    this.client = client;
    this.channel = channel;
    const take = (data: Buffer): void => {
      this.bytes += data.length;
      this.#first?.();
      this.#tail = (this.#tail + data.toString('utf8')).slice(-4096);
      if (this.#waiting !== undefined && this.#tail.includes(this.#waiting.pattern)) this.#waiting.found();
    };
    channel.on('data', take);
    channel.stderr.on('data', take);
    channel.on('error', () => undefined);
    client.on('close', () => (this.closed = true));
  }

  /** Resolves when recent output contains `pattern`. */
  async shows(pattern: string): Promise<void> {
    if (this.#tail.includes(pattern)) return;
    await limited(
      new Promise<void>((resolve) => {
        const found = (): void => {
          this.#waiting = undefined;
          resolve();
        };
        this.#waiting = { pattern, found };
      }),
      () => `a shell does not show ${JSON.stringify(pattern)} but ${JSON.stringify(this.#tail.slice(-500))}`,
    );
  }

  forget(): void {
    this.#tail = '';
  }

  /** Types the next key: the keys of the line, then as many backspaces. */
  async typeNext(): Promise<{ readonly ms: number | undefined }> {
    const key = this.#at < line.length ? (line[this.#at] ?? '') : backspace;
    this.#at = (this.#at + 1) % (2 * line.length);
    const begun = performance.now();
    const answered = new Promise<number | undefined>((resolve) => {
      const timer = setTimeout(() => resolve(undefined), unansweredMs);
      this.#first = () => {
        clearTimeout(timer);
        resolve(performance.now() - begun);
      };
    });
    this.channel.write(key);
    const ms = await answered;
    this.#first = undefined;
    return { ms };
  }

  drop(): void {
    this.#socket.destroy();
  }

  /** Leaves the shell with `exit` or with Ctrl-D. */
  async leave(withExit: boolean): Promise<void> {
    const gone = this.closed
      ? Promise.resolve()
      : new Promise<void>((resolve) => this.client.once('close', () => resolve()));
    this.channel.once('close', () => this.client.end());
    // The line may not be empty.
    this.channel.write(clearLine + (withExit ? 'exit\r' : '\x04'));
    await limited(gone, () => `a shell does not end: ${JSON.stringify(this.#tail.slice(-500))}`);
  }
}

let target: Target = { port: 0, keys: [], echo: 0 };
let echo: Socket | undefined;
let privateKeys: Buffer[] = [];
const sessions: Session[] = [];
let opened = 0;

async function limited<T>(work: Promise<T>, why: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${maxWaitMs / 1000} s: ${why()}`)), maxWaitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Opens a shell and waits for its prompt. */
async function open(): Promise<Session> {
  const privateKey = privateKeys[opened++ % privateKeys.length];
  if (privateKey === undefined) throw new Error('no key to log in with');
  const client = new ssh2.Client();
  // Like OpenSSH's client, with TCP_NODELAY: otherwise Nagle's algorithm would be measured.
  const socket = connect({ host: '127.0.0.1', port: target.port, noDelay: true });
  await limited(
    new Promise<void>((resolve, reject) => {
      client.once('ready', resolve);
      client.once('error', reject);
      client.connect({ sock: socket, username: 'manage', privateKey, readyTimeout: maxWaitMs });
    }),
    () => 'no login',
  );
  client.on('error', () => undefined);
  const channel = await new Promise<ClientChannel>((resolve, reject) => {
    client.shell(
      { term: 'xterm-256color', cols: 80, rows: 24, width: 0, height: 0, modes: {} },
      (error: Error | undefined, stream) => {
        if (error === undefined) resolve(stream);
        else reject(error);
      },
    );
  });
  const session = new Session(socket, client, channel);
  await session.shows('›');
  return session;
}

/** Calls `act` this many times, some calls in parallel. */
async function several(times: number, act: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < times) await act(next++);
  };
  await Promise.all(Array.from({ length: Math.min(parallelConnects, times) }, worker));
}

async function echoMs(): Promise<number> {
  const socket = (echo ??= connect({ host: '127.0.0.1', port: target.echo, noDelay: true }));
  const begun = performance.now();
  const answered = new Promise<void>((resolve) => socket.once('data', () => resolve()));
  socket.write('x');
  await answered;
  return performance.now() - begun;
}

/** Types a key every `everyMs`, in the session that `which` returns. Counts bytes until the next key. */
async function type(goesOn: (done: number) => boolean, everyMs: number, which: (i: number) => Session): Promise<Typed> {
  const latenciesMs: number[] = [];
  const bytes: number[] = [];
  const echoesMs: number[] = [];
  let unanswered = 0;
  await echoMs();
  for (let i = 0; goesOn(i); i++) {
    const session = which(i);
    const before = session.bytes;
    const due = performance.now() + everyMs;
    const { ms } = await session.typeNext();
    if (ms === undefined) unanswered++;
    else latenciesMs.push(ms);
    await pause(Math.max(1, (due - performance.now()) / 2));
    echoesMs.push(await echoMs());
    await pause(Math.max(1, due - performance.now()));
    bytes.push(session.bytes - before);
  }
  return { latenciesMs, bytes, echoesMs, unanswered };
}

function at(i: number): Session {
  const session = sessions[i % sessions.length];
  if (session === undefined) throw new Error('no session is open');
  return session;
}

function received(): number {
  return sessions.reduce((sum, { bytes }) => sum + bytes, 0);
}

async function obey(order: Order): Promise<unknown> {
  switch (order.do) {
    case 'target':
      target = order.target;
      privateKeys = target.keys.map((path) => readFileSync(path));
      return undefined;
    case 'open':
      await several(order.shells - sessions.length, async () => void sessions.push(await open()));
      return undefined;
    case 'one-types':
      return type(
        (done) => done < order.keys,
        order.everyMs,
        () => at(0),
      );
    case 'all-type':
      return type((done) => done < order.keys, order.everyMs, at);
    case 'run': {
      const session = at(1);
      session.forget();
      session.channel.write(`${clearLine}${order.line}\r`);
      let going = true;
      const shown = session.shows(order.until).finally(() => (going = false));
      const [typed] = await Promise.all([
        type(
          () => going,
          order.everyMs,
          () => at(0),
        ),
        shown,
      ]);
      return typed;
    }
    case 'settle':
      for (let last = -1, waited = 0; last !== received() && waited < 60_000; waited += order.quietMs) {
        last = received();
        await pause(order.quietMs);
      }
      return undefined;
    case 'received':
      return { bytes: received(), closed: sessions.filter(({ closed }) => closed).length };
    case 'close': {
      const all = sessions.splice(0);
      await several(all.length, async (i) => all[i]?.leave(false));
      return undefined;
    }
    case 'cycle':
      await several(order.times, async (i) => {
        const session = await open();
        if (i % 2 === 0) await session.leave(i % 4 === 0);
        else session.drop();
      });
      return undefined;
  }
}

process.on('message', (order: Order) => {
  obey(order).then(
    (answer) => process.send?.({ answer: answer ?? null }),
    (error: unknown) =>
      process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
