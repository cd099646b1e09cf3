/**
 * The front as a child process: started, watched, restarted. It may die at any time; operations go on without it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { connectOver, notify } from '../protocol/connection.ts';
import { frontStart, listening, messages, type FrontStart, type Listening } from '../protocol/messages.ts';
import type { Identity } from '../domain/actor.ts';

export interface FrontOptions {
  /** Module that the child runs. */
  readonly entry: string;
  readonly log: Logger;
  readonly start: () => FrontStart;
  /** Sets up the calls that the front may make. */
  readonly serve: (connection: MessageConnection) => void;
  readonly onListening: (where: Listening) => void;
  readonly onFatal: (reason: string) => void;
}

/** A front whose event loop stands still this long, in milliseconds, is killed and started anew. */
const stillMs = 5000;
const pingMs = 1000;
/** The same before its first answer: it loads its code then, which takes longer than that on a slow or busy machine. */
const startingMs = 60_000;

/** Pauses between restarts, in milliseconds: a front that dies at once must not eat the machine. */
const firstPauseMs = 200;
const longestPauseMs = 10_000;
/** A front that lived this long died of something else than its start. */
const settledMs = 30_000;

/**
 * A small young generation: with V8's own (16 MB twice) what one connection leaves behind is promoted in bulk before it is dead, and
 * thousands of connects let the process grow to twice the size, at the same CPU. And garbage is collected when the heap has grown by a fifth,
 * not by as much again (`npm run bench:shell`, the rounds of connects).
 */
const v8Flags = ['--max-semi-space-size=2', '--heap-growing-percent=20'];

export class FrontProcess {
  readonly #options: FrontOptions;
  #child: ChildProcess | undefined;
  #connection: MessageConnection | undefined;
  #stopping = false;
  #pauseMs = firstPauseMs;
  /** Kept for restarts, so that a server that was given port 0 stays where it is. */
  #listening: Listening | undefined;

  constructor(options: FrontOptions) {
    this.#options = options;
    this.#spawn();
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Gives the front a new index of who may log in. */
  identities(identities: readonly Identity[]): void {
    const plain = identities.map((identity) => ({ ...identity, owns: [...identity.owns] }));
    if (this.#connection !== undefined) notify(this.#connection, messages.identities, plain);
  }

  /** Asks the front to say goodbye to its sessions, and waits for its end; kills it after `graceMs`. */
  async stop(reason: string, graceMs = 5000): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    if (this.#connection !== undefined) notify(this.#connection, messages.drain, { reason });
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await ended;
    clearTimeout(timer);
  }

  #spawn(): void {
    const { log, entry } = this.#options;
    const startedMs = Date.now();
    const child = spawn(process.execPath, [...v8Flags, entry], {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
      env: { NODE_ENV: 'production', PATH: process.env['PATH'] ?? '', FORCE_COLOR: '3', NO_DEPRECATION: '1' },
    });
    this.#child = child;
    const channel = child.stdio[3] as Socket;
    const connection = connectOver(channel);
    this.#connection = connection;
    connection.onRequest(messages.frontStart, () => {
      const start = frontStart.parse(this.#options.start());
      return this.#listening === undefined ? start : { ...start, listen: this.#listening };
    });
    connection.onNotification(messages.listening, (raw) => {
      const where = listening.safeParse(raw);
      if (!where.success) return;
      const first = this.#listening === undefined;
      this.#listening = where.data;
      if (first) this.#options.onListening(where.data);
    });
    connection.onNotification(messages.failed, ({ reason }: { reason: unknown }) => {
      if (this.#listening === undefined) this.#options.onFatal(String(reason).slice(0, 500));
    });
    this.#options.serve(connection);
    connection.listen();
    const stopWatching = this.#watch(child, connection);

    child.once('exit', (code, signal) => {
      stopWatching();
      connection.dispose();
      channel.destroy();
      if (this.#stopping) return;
      log.error({ code, signal }, 'the front ended; starting it anew');
      this.#pauseMs = Date.now() - startedMs > settledMs ? firstPauseMs : Math.min(this.#pauseMs * 2, longestPauseMs);
      setTimeout(() => {
        if (!this.#stopping) this.#spawn();
      }, this.#pauseMs);
    });
  }

  #watch(child: ChildProcess, connection: MessageConnection): () => void {
    let answeredMs = Date.now();
    let limitMs = startingMs;
    let checkedMs = Date.now();
    const timer = setInterval(() => {
      const now = Date.now();
      // When this process itself stood still (a stopped machine, a debugger), the silence says nothing about the front.
      if (now - checkedMs > 2 * pingMs) answeredMs = now;
      checkedMs = now;
      if (now - answeredMs > limitMs) {
        this.#options.log.error({ stillMs: now - answeredMs }, 'the front stands still; killing it');
        child.kill('SIGKILL');
        return;
      }
      connection.sendRequest(messages.ping).then(
        () => {
          answeredMs = Date.now();
          limitMs = stillMs;
        },
        () => undefined,
      );
    }, pingMs);
    return () => clearInterval(timer);
  }
}
