/**
 * Keeps the front or the remote process running: starts, watches and replaces it. It may die at any time, and
 * operations continue without it. A {@link ProcessStarter} starts and kills it.
 */
import type { Logger } from 'pino';
import type { MessageConnection, NotificationType } from 'vscode-jsonrpc/node';
import { Failure } from '../../domain/failure.ts';
import type { FrontRestart } from '../../domain/events/notice.ts';
import { connectOver, maxMessageBytes, notify } from '../../protocol/connection.ts';
import { aliveEveryMs, messages } from '../../protocol/messages.ts';
import type { ProcessEnd, ProcessKind, ProcessRun, ProcessStarter } from './processStarter.ts';
import type { Listener } from './listener.ts';

export interface WatchedProcessOptions {
  readonly kind: ProcessKind;
  readonly starter: ProcessStarter;
  readonly listener: Listener;
  readonly log: Logger;
  /** Registers the handlers for the requests of the process, among them the one for what it needs to start. */
  readonly serve: (connection: MessageConnection) => void;
  /** Called when the first process accepts connections. */
  readonly onServing: () => void;
  /** Called when the first process ended before it accepted connections. */
  readonly onFatal: (reason: string) => void;
  /** Called when a process that accepted connections has ended and is about to be replaced. */
  readonly onReplaced: (why: FrontRestart['why']) => void;
}

/**
 * How long the event loop of a process may hang before core kills the process, in milliseconds. The last sign of life
 * may be {@link aliveEveryMs} older than the hang.
 */
const maxHangMs = 5000;
const checkMs = 1000;
/**
 * Limit of the time until the first sign of life, in milliseconds. A process loads its code first, which takes long on
 * a slow or busy machine: when many containers start after a boot, or under software emulation (npm run test:machine:
 * over a minute on a busy day). Killing it early would start the load again and make the machine busier.
 */
const maxStartMs = 180_000;

/**
 * Pauses before a restart, in milliseconds, so that a process that dies at once does not use up the machine. A process
 * that settled is replaced at once, because clients wait for the next one.
 */
const firstPauseMs = 200;
const maxPauseMs = 10_000;
/** A process that lived longer than this, in milliseconds, did not die of its start. */
const settledMs = 30_000;

interface CurrentProcess {
  readonly run: ProcessRun;
  readonly connection: MessageConnection;
  served: boolean;
  hung: boolean;
  /** Its own message why it cannot accept connections. */
  failed: string | undefined;
}

export class WatchedProcess {
  readonly #options: WatchedProcessOptions;
  #current: CurrentProcess | undefined;
  /** Resolves when the current start is over. */
  #starting: Promise<void>;
  #stopping = false;
  #pauseMs = 0;
  /** Whether any process ever served. */
  #served = false;

  constructor(options: WatchedProcessOptions) {
    this.#options = options;
    this.#starting = this.#start();
  }

  /** Sends a notification, if a process runs. */
  notify<P>(type: NotificationType<P>, params: P): void {
    if (this.#current !== undefined) notify(this.#current.connection, type, params);
  }

  /** Asks the process to disconnect its clients, and waits for its end; kills it after `graceMs`. */
  async stop(reason: string, graceMs = 25_000): Promise<void> {
    this.#stopping = true;
    this.#options.listener.close();
    await this.#starting;
    const current = this.#current;
    if (current === undefined) return;
    notify(current.connection, messages.drain, { reason });
    const timer = setTimeout(() => current.run.kill(), graceMs);
    await current.run.ended;
    clearTimeout(timer);
  }

  async #start(): Promise<void> {
    const { kind, log, starter, listener } = this.#options;
    const startedMs = performance.now();
    let run: ProcessRun;
    try {
      run = await starter.start(listener);
    } catch (error) {
      this.#handleEnd(startedMs, undefined, { code: null, signal: null, lastLine: Failure.from(error).message });
      return;
    }
    if (this.#stopping) run.kill();
    const connection = connectOver(run.channel, { maxBytes: maxMessageBytes });
    const current: CurrentProcess = { run, connection, served: false, hung: false, failed: undefined };
    this.#current = current;
    connection.onNotification(messages.listening, () => {
      current.served = true;
      if (this.#served) return;
      this.#served = true;
      this.#options.onServing();
    });
    connection.onNotification(messages.failed, ({ reason }: { reason: unknown }) => {
      current.failed = String(reason).slice(0, 500);
    });
    this.#options.serve(connection);
    connection.listen();
    const stopWatching = this.#watch(current);
    // A process without a connection to core is useless, even if it lives on.
    const hungUp = (): void => run.kill();
    run.channel.once('close', hungUp);

    void run.ended.then((end) => {
      stopWatching();
      run.channel.off('close', hungUp);
      connection.dispose();
      run.channel.destroy();
      this.#current = undefined;
      log.debug({ ...end }, `${kind.label} ended`);
      this.#handleEnd(startedMs, current, end);
    });
  }

  #handleEnd(startedMs: number, current: CurrentProcess | undefined, { code, signal, lastLine }: ProcessEnd): void {
    const { kind, log, onFatal, onReplaced } = this.#options;
    if (this.#stopping) return;
    if (!this.#served) {
      // None ever worked here. The start of the server fails, instead of trying for ever.
      this.#stopping = true;
      onFatal(
        current?.failed ??
          (lastLine === ''
            ? `it ended before it accepted connections (${signal ?? code ?? 'it could not be started'})`
            : lastLine),
      );
      return;
    }
    log.error({ code, signal }, `${kind.label} ended; restarting it`);
    if (current?.served === true) onReplaced(current.hung ? 'stood-still' : 'ended');
    const settled = performance.now() - startedMs > settledMs;
    this.#pauseMs = settled ? 0 : Math.min(Math.max(this.#pauseMs * 2, firstPauseMs), maxPauseMs);
    setTimeout(() => {
      if (!this.#stopping) this.#starting = this.#start();
    }, this.#pauseMs);
  }

  /**
   * Kills a process that hangs. Every byte from it counts as a sign of life at the moment of its arrival, because a
   * busy core handles messages late. A compromised process can feign life for ever, whatever sign core asks for.
   */
  #watch(current: CurrentProcess): () => void {
    const { channel } = current.run;
    let heardMs = performance.now();
    let limitMs = maxStartMs;
    let checkedMs = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      // If this process itself hung (a suspended machine, a debugger) or has paused reading
      // (protocol/boundedReader.ts), the silence says nothing about the process.
      if (now - checkedMs > 2 * checkMs || channel.isPaused()) heardMs = now;
      checkedMs = now;
      if (now - heardMs > limitMs) {
        // Killing a unit takes a while; the next attempt comes after another period.
        heardMs = now;
        current.hung = true;
        this.#options.log.error({ stillMs: limitMs }, `${this.#options.kind.label} hangs; killing it`);
        current.run.kill();
      }
    }, checkMs);
    const heard = (): void => void (heardMs = performance.now());
    channel.on('data', heard);
    const alive = current.connection.onNotification(messages.alive, () => void (limitMs = maxHangMs + aliveEveryMs));
    return () => {
      clearInterval(timer);
      channel.off('data', heard);
      alive.dispose();
    };
  }
}
