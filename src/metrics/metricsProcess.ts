/**
 * The process that answers Prometheus over HTTP (src/metrics/main.ts): started with the bound port, told figures when
 * it asks, restarted when it ends.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Logger } from 'pino';

/** A port that core has bound. Closed with the process. */
export interface BoundPort {
  /** For the `stdio` of spawn: the child gets the socket itself. */
  readonly handle: unknown;
  close(): void;
}

export interface MetricsProcessOptions {
  /** Module that the child runs. */
  readonly entry: string;
  readonly port: BoundPort;
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  readonly text: () => Promise<string>;
  readonly log: Logger;
}

/** Figures are not worked out more often than this, in milliseconds, however often they are asked for. */
const freshMs = 1000;
const pauseMs = 2000;
/**
 * Answers that the process may leave unread, in bytes: a good one asks again only when it has the last. One that was
 * taken over fills no memory of core's.
 */
const maxUnreadBytes = 1024 * 1024;

export class MetricsProcess {
  readonly #options: MetricsProcessOptions;
  #child: ChildProcess | undefined;
  #stopped = false;
  #made: { readonly atMs: number; readonly text: Promise<string> } | undefined;

  constructor(options: MetricsProcessOptions) {
    this.#options = options;
    this.#start();
  }

  stop(): void {
    this.#stopped = true;
    this.#options.port.close();
    this.#child?.kill('SIGKILL');
  }

  #start(): void {
    const { entry, user, log } = this.#options;
    const child = spawn(
      process.execPath,
      ['--max-old-space-size=32', entry, ...(user === undefined ? [] : [`--uid=${user.uid}`, `--gid=${user.gid}`])],
      {
        stdio: ['pipe', 'pipe', 'ignore', this.#options.port.handle as 'inherit'],
        env: { NODE_ENV: 'production' },
      },
    );
    this.#child = child;
    const { stdin, stdout } = child;
    stdin?.on('error', () => undefined);
    // The end of a line is a question; what is in the line does not matter, and is not kept.
    stdout?.on('data', (said: Buffer) => {
      if (!said.includes('\n')) return;
      this.#text().then(
        (text) => {
          stdin?.write(`${JSON.stringify(text)}\n`);
          if ((stdin?.writableLength ?? 0) > maxUnreadBytes) child.kill('SIGKILL');
        },
        (error: unknown) => log.warn({ why: error instanceof Error ? error.message : String(error) }, 'no figures'),
      );
    });
    const gone = (): void => {
      if (this.#stopped || this.#child !== child) return;
      this.#child = undefined;
      log.warn('the process that answers /metrics ended; starting it anew');
      setTimeout(() => {
        if (!this.#stopped) this.#start();
      }, pauseMs).unref();
    };
    child.once('exit', gone);
    child.once('error', gone);
  }

  #text(): Promise<string> {
    const nowMs = performance.now();
    if (this.#made === undefined || nowMs - this.#made.atMs > freshMs)
      this.#made = { atMs: nowMs, text: this.#options.text() };
    return this.#made.text;
  }
}
