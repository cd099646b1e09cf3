/**
 * The front, kept running: started, watched, replaced. It may die at any time; operations go on without it. How it is
 * started and killed is its starter's business.
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
  /** Sets up the calls that the front may make. */
  readonly serve: (connection: MessageConnection) => void;
  /** The first front serves. */
  readonly onServing: () => void;
  /** The first front ended before it served. */
  readonly onFatal: (reason: string) => void;
  /** A front that served is gone, and another one is started. */
  readonly onReplaced: (why: FrontRestart['why']) => void;
}

/**
 * A front whose event loop stands still this long, in milliseconds, is killed and started anew. It was last heard up to
 * {@link aliveEveryMs} before it began to.
 */
const stillMs = 5000;
const checkMs = 1000;
/**
 * The same before it first says that it is alive: it loads its code then, which takes longer than that on a slow or
 * busy machine. Much longer where many containers start at the same time after a boot, or in a virtual machine in
 * software (npm run test:machine: over a minute on a busy day); and one that is killed begins anew, and makes the
 * machine busier.
 */
const startingMs = 180_000;

/** Pauses between restarts, in milliseconds: a front that dies at once must not eat the machine. */
const firstPauseMs = 200;
const maxPauseMs = 10_000;
/** A front that lived this long died of something else than its start. */
const settledMs = 30_000;

interface CurrentFront {
  readonly run: FrontRun;
  readonly connection: MessageConnection;
  served: boolean;
  stoodStill: boolean;
  /** Why it could not serve, in its own words. */
  failed: string | undefined;
}

export class FrontProcess {
  readonly #options: FrontOptions;
  #current: CurrentFront | undefined;
  /** Resolves when the start that is under way is over. */
  #starting: Promise<void>;
  #stopping = false;
  #pauseMs = firstPauseMs;
  /** Whether any front ever served. */
  #served = false;

  constructor(options: FrontOptions) {
    this.#options = options;
    this.#starting = this.#start();
  }

  /** Gives the front a new index of who may log in. */
  directory(directory: Directory): void {
    if (this.#current !== undefined) notify(this.#current.connection, messages.directory, directory);
  }

  /** Asks the front to say goodbye to its sessions, and waits for its end; kills it after `graceMs`. */
  async stop(reason: string, graceMs = 5000): Promise<void> {
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
      this.#gone(startedMs, undefined, { code: null, signal: null, said: Failure.from(error).message });
      return;
    }
    if (this.#stopping) run.kill();
    const connection = connectOver(run.channel, { maxBytes: maxMessageBytes });
    const current: CurrentFront = { run, connection, served: false, stoodStill: false, failed: undefined };
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
    // One that hangs up on core has no business left, whatever it thinks itself.
    const hungUp = (): void => run.kill();
    run.channel.once('close', hungUp);

    void run.ended.then((end) => {
      stopWatching();
      run.channel.off('close', hungUp);
      connection.dispose();
      run.channel.destroy();
      this.#current = undefined;
      log.debug({ ...end }, 'a front ended');
      this.#gone(startedMs, current, end);
    });
  }

  #gone(startedMs: number, current: CurrentFront | undefined, { code, signal, said }: FrontEnd): void {
    const { log, onFatal, onReplaced } = this.#options;
    if (this.#stopping) return;
    if (!this.#served) {
      // It never worked here: whoever starts the server is told, instead of trying for ever.
      this.#stopping = true;
      onFatal(
        current?.failed ??
          (said === '' ? `it ended before it served (${signal ?? code ?? 'it could not be started'})` : said),
      );
      return;
    }
    log.error({ code, signal }, 'the front ended; starting it anew');
    if (current?.served === true) onReplaced(current.stoodStill ? 'stood-still' : 'ended');
    this.#pauseMs = Date.now() - startedMs > settledMs ? firstPauseMs : Math.min(this.#pauseMs * 2, maxPauseMs);
    setTimeout(() => {
      if (!this.#stopping) this.#starting = this.#start();
    }, this.#pauseMs);
  }

  /**
   * Whatever comes from it is a sign of life, from the moment it comes: a busy core hands messages out late, and a
   * front behind which many commands wait is not one that stands still. One that is taken over can say it is alive as
   * long as it likes, whatever it is asked.
   */
  #watch(current: CurrentFront): () => void {
    const { channel } = current.run;
    let heardMs = Date.now();
    let limitMs = startingMs;
    let checkedMs = Date.now();
    const timer = setInterval(() => {
      const now = Date.now();
      // When this process itself stood still (a stopped machine, a debugger) or reads nothing more for now
      // (protocol/boundedReader.ts), the silence says nothing about the front.
      if (now - checkedMs > 2 * checkMs || channel.isPaused()) heardMs = now;
      checkedMs = now;
      if (now - heardMs > limitMs) {
        // Once in each period: killing a unit takes a while.
        heardMs = now;
        current.stoodStill = true;
        this.#options.log.error({ stillMs: limitMs }, 'the front stands still; killing it');
        current.run.kill();
      }
    }, checkMs);
    const heard = (): void => void (heardMs = Date.now());
    channel.on('data', heard);
    const alive = current.connection.onNotification(messages.alive, () => void (limitMs = stillMs + aliveEveryMs));
    return () => {
      clearInterval(timer);
      channel.off('data', heard);
      alive.dispose();
    };
  }
}
