/**
 * Keeps the front running: starts, watches and replaces it. The front may die at any time, and operations continue
 * without it. A {@link FrontStarter} starts and kills it.
 */
import type { Logger } from 'pino';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import type { Directory } from '../../domain/access/directory.ts';
import { Failure } from '../../domain/failure.ts';
import type { FrontRestart } from '../../domain/events/notice.ts';
import { connectOver, maxMessageBytes, notify } from '../../protocol/connection.ts';
import { aliveEveryMs, frontStart, messages, type FrontStart } from '../../protocol/messages.ts';
import type { FrontEnd, FrontRun, FrontStarter } from './frontStarter.ts';
import type { Listener } from './listener.ts';

export interface FrontOptions {
  readonly starter: FrontStarter;
  readonly listener: Listener;
  readonly log: Logger;
  readonly start: () => FrontStart;
  /** Registers the handlers for the front's requests. */
  readonly serve: (connection: MessageConnection) => void;
  /** Called when the first front accepts connections. */
  readonly onServing: () => void;
  /** Called when the first front ended before it accepted connections. */
  readonly onFatal: (reason: string) => void;
  /** Called when a front that accepted connections has ended and is about to be replaced. */
  readonly onReplaced: (why: FrontRestart['why']) => void;
}

/**
 * How long the front's event loop may hang before core kills the front, in milliseconds. The last sign of life may be
 * {@link aliveEveryMs} older than the hang.
 */
const maxHangMs = 5000;
const checkMs = 1000;
/**
 * Limit of the time until the first sign of life, in milliseconds. The front loads its code first, which takes long on
 * a slow or busy machine: when many containers start after a boot, or under software emulation (npm run test:machine:
 * over a minute on a busy day). Killing it early would start the load again and make the machine busier.
 */
const maxStartMs = 180_000;

/** Pauses between restarts, in milliseconds, so that a front that dies at once does not use up the machine. */
const firstPauseMs = 200;
const maxPauseMs = 10_000;
/** A front that lived longer than this, in milliseconds, did not die of its start. */
const settledMs = 30_000;

interface CurrentFront {
  readonly run: FrontRun;
  readonly connection: MessageConnection;
  served: boolean;
  hung: boolean;
  /** The front's own message why it cannot accept connections. */
  failed: string | undefined;
}

export class FrontProcess {
  readonly #options: FrontOptions;
  #current: CurrentFront | undefined;
  /** Resolves when the current start is over. */
  #starting: Promise<void>;
  #stopping = false;
  #pauseMs = firstPauseMs;
  /** Whether any front ever served. */
  #served = false;

  constructor(options: FrontOptions) {
    this.#options = options;
    this.#starting = this.#start();
  }

  /** Sends the front a new directory of who may log in. */
  directory(directory: Directory): void {
    if (this.#current !== undefined) notify(this.#current.connection, messages.directory, directory);
  }

  /** Asks the front to disconnect its clients, and waits for its end; kills it after `graceMs`. */
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
    const { log, starter, listener } = this.#options;
    const startedMs = Date.now();
    let run: FrontRun;
    try {
      run = await starter.start(listener);
    } catch (error) {
      this.#handleEnd(startedMs, undefined, { code: null, signal: null, lastLine: Failure.from(error).message });
      return;
    }
    if (this.#stopping) run.kill();
    const connection = connectOver(run.channel, { maxBytes: maxMessageBytes });
    const current: CurrentFront = { run, connection, served: false, hung: false, failed: undefined };
    this.#current = current;
    connection.onRequest(messages.frontStart, () => frontStart.parse(this.#options.start()));
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
    // A front without a connection to core is useless, even if it lives on.
    const hungUp = (): void => run.kill();
    run.channel.once('close', hungUp);

    void run.ended.then((end) => {
      stopWatching();
      run.channel.off('close', hungUp);
      connection.dispose();
      run.channel.destroy();
      this.#current = undefined;
      log.debug({ ...end }, 'a front ended');
      this.#handleEnd(startedMs, current, end);
    });
  }

  #handleEnd(startedMs: number, current: CurrentFront | undefined, { code, signal, lastLine }: FrontEnd): void {
    const { log, onFatal, onReplaced } = this.#options;
    if (this.#stopping) return;
    if (!this.#served) {
      // No front ever worked here. The start of the server fails, instead of trying for ever.
      this.#stopping = true;
      onFatal(
        current?.failed ??
          (lastLine === ''
            ? `it ended before it accepted connections (${signal ?? code ?? 'it could not be started'})`
            : lastLine),
      );
      return;
    }
    log.error({ code, signal }, 'the front ended; restarting it');
    if (current?.served === true) onReplaced(current.hung ? 'stood-still' : 'ended');
    this.#pauseMs = Date.now() - startedMs > settledMs ? firstPauseMs : Math.min(this.#pauseMs * 2, maxPauseMs);
    setTimeout(() => {
      if (!this.#stopping) this.#starting = this.#start();
    }, this.#pauseMs);
  }

  /**
   * Kills a front that hangs. Every byte from the front counts as a sign of life at the moment of its arrival, because
   * a busy core handles messages late. A compromised front can feign life for ever, whatever sign core asks for.
   */
  #watch(current: CurrentFront): () => void {
    const { channel } = current.run;
    let heardMs = Date.now();
    let limitMs = maxStartMs;
    let checkedMs = Date.now();
    const timer = setInterval(() => {
      const now = Date.now();
      // If this process itself hung (a suspended machine, a debugger) or has paused reading
      // (protocol/boundedReader.ts), the silence says nothing about the front.
      if (now - checkedMs > 2 * checkMs || channel.isPaused()) heardMs = now;
      checkedMs = now;
      if (now - heardMs > limitMs) {
        // Killing a unit takes a while; the next attempt comes after another period.
        heardMs = now;
        current.hung = true;
        this.#options.log.error({ stillMs: limitMs }, 'the front hangs; killing it');
        current.run.kill();
      }
    }, checkMs);
    const heard = (): void => void (heardMs = Date.now());
    channel.on('data', heard);
    const alive = current.connection.onNotification(messages.alive, () => void (limitMs = maxHangMs + aliveEveryMs));
    return () => {
      clearInterval(timer);
      channel.off('data', heard);
      alive.dispose();
    };
  }
}
