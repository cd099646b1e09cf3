/** The admins of `bench:life`: what they do all the time, and how long it takes them. */
import { setTimeout as pause } from 'node:timers/promises';
import { connect, milliseconds, openShell, press, run } from '../list/connection.ts';

/** The pause of each of them between two actions, in milliseconds. */
const pauses = { create: 15_000, list: 1000, login: 2000, key: 200 } as const;
/** How long a shell is open, in milliseconds. */
const shellMs = 60_000;

export class Admins {
  readonly failures: string[] = [];
  done = 0;
  readonly #port: number;
  readonly #adminKey: string;
  readonly #userKey: string;
  #times = new Map<string, number[]>();

  /** `adminKey` is a private key file; `userKey` is the public key of the containers' users. */
  constructor(port: number, adminKey: string, userKey: string) {
    this.#port = port;
    this.#adminKey = adminKey;
    this.#userKey = userKey;
  }

  /** Runs a command over a connection of its own. */
  async run(command: string): Promise<string> {
    const client = await connect(this.#port, this.#adminKey);
    try {
      return await run(client, command);
    } finally {
      client.end();
    }
  }

  async create(user: string): Promise<void> {
    await this.run(`create ${user} --ssh-key "${this.#userKey}"`);
  }

  /** Returns the times since the last call, in milliseconds, by what was done. */
  takeTimes(): ReadonlyMap<string, readonly number[]> {
    const times = this.#times;
    this.#times = new Map();
    return times;
  }

  /** Works until the signal aborts. Failures are counted, not thrown. */
  async work(signal: AbortSignal): Promise<void> {
    const client = await connect(this.#port, this.#adminKey);
    try {
      await Promise.all([
        this.#repeat('create and delete', pauses.create, signal, async () => {
          await this.create('passing');
          await this.run('delete passing --purge --yes');
        }),
        this.#repeat('list', pauses.list, signal, () => run(client, 'list --json')),
        this.#repeat('login', pauses.login, signal, () => this.run('whoami --json')),
        this.#type(signal),
      ]);
    } finally {
      client.end();
    }
  }

  /** Types in shells, of which each is open for a minute. */
  async #type(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const client = await connect(this.#port, this.#adminKey);
        const channel = await openShell(client);
        const endMs = performance.now() + shellMs;
        let keys = 0;
        // Every second key deletes the one before.
        const type = (): Promise<void> => press(channel, keys++ % 2 === 0 ? 'x' : '\x7f');
        while (performance.now() < endMs && !signal.aborted) await this.#once('key', pauses.key, type);
        client.end();
      } catch (error) {
        this.#failed('shell', error);
        await pause(pauses.key);
      }
    }
  }

  async #repeat(name: string, pauseMs: number, signal: AbortSignal, act: () => Promise<unknown>): Promise<void> {
    while (!signal.aborted) await this.#once(name, pauseMs, act);
  }

  async #once(name: string, pauseMs: number, act: () => Promise<unknown>): Promise<void> {
    try {
      const ms = await milliseconds(act);
      this.#times.set(name, [...(this.#times.get(name) ?? []), ms]);
    } catch (error) {
      this.#failed(name, error);
    }
    this.done++;
    await pause(pauseMs);
  }

  #failed(name: string, error: unknown): void {
    this.failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
