/**
 * Runs the process that answers Prometheus over HTTP (src/metrics/main.ts): hands it the bound port, sends it the
 * metrics on request, and restarts it when it ends.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Logger } from 'pino';

/** A port that core has bound. Closed with the process. */
export interface BoundPort {
  /** The bound socket, for the `stdio` of spawn. */
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

/** Lifetime of a computed answer, in milliseconds. Requests within it get the same answer. */
const freshMs = 1000;
const pauseMs = 2000;
/**
 * Limit of unread answers, in bytes. An honest process asks again only after it has read the last answer; a compromised
 * one must not fill core's memory.
 */
const maxUnreadBytes = 1024 * 1024;

export class MetricsProcess {
  readonly #options: MetricsProcessOptions;
  #child: ChildProcess | undefined;
  #stopped = false;
  #latest: { readonly atMs: number; readonly text: Promise<string> } | undefined;

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
    // The end of a line is a request. The line itself does not matter and is not kept.
    stdout?.on('data', (data: Buffer) => {
      if (!data.includes('\n')) return;
      this.#text().then(
        (text) => {
          stdin?.write(`${JSON.stringify(text)}\n`);
          if ((stdin?.writableLength ?? 0) > maxUnreadBytes) child.kill('SIGKILL');
        },
        (error: unknown) =>
          log.warn(
            { why: error instanceof Error ? error.message : String(error) },
            'the metrics could not be collected',
          ),
      );
    });
    const restart = (): void => {
      if (this.#stopped || this.#child !== child) return;
      this.#child = undefined;
      log.warn('the process that answers /metrics ended; restarting it');
      setTimeout(() => {
        if (!this.#stopped) this.#start();
      }, pauseMs).unref();
    };
    child.once('exit', restart);
    child.once('error', restart);
  }

  #text(): Promise<string> {
    const nowMs = performance.now();
    if (this.#latest === undefined || nowMs - this.#latest.atMs > freshMs)
      this.#latest = { atMs: nowMs, text: this.#options.text() };
    return this.#latest.text;
  }
}
