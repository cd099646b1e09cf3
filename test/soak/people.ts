/**
 * The well-behaved users of the soak test: an admin whose logins and keystrokes are measured, other admins with shells
 * and commands, and an owner at `self@`. They run in a process of their own and connect from 127.0.0.1.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import ssh2, { type Client, type ClientChannel } from 'ssh2';

export interface Setup {
  readonly port: number;
  readonly keys: readonly string[];
  /** Public key of the last admin, who gets a container. */
  readonly publicKey: string;
  /** Number of shells beside the measured one. */
  readonly shells: number;
}

export type Order =
  | { readonly do: 'arrive'; readonly setup: Setup }
  | { readonly do: 'measure'; readonly ms: number }
  | { readonly do: 'leave' };

export interface Measured {
  /** Time from the connect to the exit status of a command, in milliseconds. */
  readonly loginsMs: readonly number[];
  /** Time from writing a key to the first byte back, in milliseconds. */
  readonly keysMs: readonly number[];
  /** Descriptions of failed logins, keystrokes and commands. */
  readonly failures: readonly string[];
  readonly commands: number;
}

const maxWaitMs = 15_000;
const typedEveryMs = 150;
const loginEveryMs = 700;

let setup: Setup | undefined;
const clients = new Set<Client>();

function login(user: string, key: string): Promise<Client> {
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    // Like OpenSSH's client, with TCP_NODELAY: otherwise Nagle's algorithm would be measured.
    const socket = connect({ host: '127.0.0.1', port: setup?.port ?? 0, noDelay: true });
    client.once('ready', () => resolve(client));
    client.once('error', reject);
    client.on('error', () => undefined);
    client.on('close', () => clients.delete(client));
    clients.add(client);
    client.connect({ sock: socket, username: user, privateKey: readFileSync(key), readyTimeout: maxWaitMs });
  });
}

/** Runs a command. Resolves to its exit code. */
function exec(client: Client, line: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`"${line}" was not answered within ${maxWaitMs / 1000} s`)),
      maxWaitMs,
    );
    client.exec(line, (error, channel) => {
      if (error !== undefined) return reject(error);
      let code = -1;
      channel.on('exit', (status: number) => (code = status));
      channel.on('close', () => {
        clearTimeout(timer);
        resolve(code);
      });
      channel.stderr.resume();
      channel.resume().end();
    });
  });
}

function shell(client: Client): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.shell(
      { term: 'xterm-256color', cols: 80, rows: 24, width: 0, height: 0, modes: {} },
      (error: Error | undefined, channel) => {
        if (error !== undefined) return reject(error);
        const timer = setTimeout(() => reject(new Error('no prompt')), maxWaitMs);
        channel.on('data', function prompt(data: Buffer) {
          if (!data.includes('›')) return;
          clearTimeout(timer);
          channel.off('data', prompt);
          channel.resume();
          resolve(channel);
        });
      },
    );
  });
}

let measured: ClientChannel | undefined;
const shells: ClientChannel[] = [];

async function arrive(order: Setup): Promise<void> {
  setup = order;
  const [first = ''] = order.keys;
  const admin = await login('manage', first);
  const code = await exec(admin, `create owner --ssh-key "${order.publicKey}"`);
  if (code !== 0) throw new Error(`create ended with ${code}`);
  measured = await shell(admin);
  for (let i = 0; i < order.shells; i++)
    shells.push(await shell(await login('manage', order.keys[i % order.keys.length] ?? first)));
}

/** Returns the time from a key to its output, in milliseconds. Every second key deletes the one before. */
async function keystroke(channel: ClientChannel, i: number): Promise<number> {
  const begun = performance.now();
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('a key was not answered')), maxWaitMs);
    channel.once('data', () => {
      clearTimeout(timer);
      resolve();
    });
    channel.write(i % 2 === 0 ? 'x' : '\x7f');
  });
  return performance.now() - begun;
}

async function measure(ms: number): Promise<Measured> {
  const [first = ''] = setup?.keys ?? [];
  const last = setup?.keys.at(-1) ?? first;
  const loginsMs: number[] = [];
  const keysMs: number[] = [];
  const failures: string[] = [];
  let commands = 0;
  const until = performance.now() + ms;
  const again = async (everyMs: number, act: (i: number) => Promise<void>): Promise<void> => {
    for (let i = 0; performance.now() < until; i++) {
      const due = performance.now() + everyMs;
      try {
        await act(i);
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
      await pause(Math.max(1, due - performance.now()));
    }
  };
  await Promise.all([
    again(typedEveryMs, async (i) => {
      if (measured !== undefined) keysMs.push(await keystroke(measured, i));
    }),
    again(loginEveryMs, async () => {
      const begun = performance.now();
      const client = await login('manage', first);
      const code = await exec(client, 'whoami --json');
      loginsMs.push(performance.now() - begun);
      client.end();
      if (code !== 0) throw new Error(`whoami ended with ${code}`);
    }),
    // The other users: admins type in turn and run commands, the owner logs in at self@.
    again(100, async (i) => {
      shells[i % shells.length]?.write(i % (2 * shells.length) < shells.length ? 'x' : '\x7f');
      await Promise.resolve();
    }),
    again(400, async (i) => {
      const client = i % 2 === 0 ? await login('manage', last) : await login('self', last);
      for (const line of i % 2 === 0 ? ['list --json', 'help', 'info owner'] : ['info', 'config', 'keys']) {
        const code = await exec(client, line);
        commands++;
        if (code !== 0) failures.push(`"${line}" ended with ${code}`);
      }
      client.end();
    }),
  ]);
  return { loginsMs, keysMs, failures, commands };
}

async function leave(): Promise<void> {
  const all = [...clients];
  for (const client of all) client.end();
  await pause(500);
  for (const client of clients) client.destroy();
}

function obey(order: Order): Promise<unknown> {
  if (order.do === 'arrive') return arrive(order.setup);
  return order.do === 'measure' ? measure(order.ms) : leave();
}

process.on('message', (order: Order) => {
  obey(order).then(
    (answer) => process.send?.({ answer: answer ?? null }),
    (error: unknown) =>
      process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
