/** The privileged process: opens what only one server can have, starts the front, and runs core for it. */
import type { Logger } from 'pino';
import type { HostTag } from '../domain/results/about.ts';
import { ProgramRunner } from '../host/runner.ts';
import { messages, type Listening } from '../protocol/messages.ts';
import type { ServerHostKey } from '../service/access/hostKeyFiles.ts';
import { makeHome, type Home } from '../settings/home.ts';
import type { Settings } from '../settings/settings.ts';
import { startFront, type ReadyCore } from './frontInterface.ts';
import { LocalSocket } from './entryPoints/localSocket.ts';
import { chooseStarter } from './processes/starterChoice.ts';
import { FrontRestarts } from './processes/frontRestarts.ts';
import type { WatchedProcess } from './processes/watchedProcess.ts';
import { bindPort, type Listener } from './processes/listener.ts';
import { frontKind, type ProcessStarter } from './processes/processStarter.ts';
import type { RunningCore } from './runningCore.ts';
import type { FirstAdmin } from './start/firstAdmins.ts';
import { makeLog } from './start/log.ts';

export interface ServerOptions {
  readonly home: Home;
  readonly settings: Settings;
  readonly env: NodeJS.ProcessEnv;
}

/** The result of a successful start. */
export interface Started {
  readonly host: HostTag;
  readonly listening: Listening;
  readonly hostKey: ServerHostKey;
  readonly firstAdmins: readonly FirstAdmin[];
  /** The private key that this or an earlier start made for the first admin, while it lets an admin in. */
  readonly madeKey: string | undefined;
  readonly version: string;
  /** Where the remote interface listens, if it does. */
  readonly remote: Listening | undefined;
}

export class Server {
  readonly started: Promise<Started>;
  readonly #options: ServerOptions;
  readonly #log: Logger;
  readonly #frontRestarts = new FrontRestarts();
  #socket: LocalSocket | undefined;
  #listener: Listener | undefined;
  #core: RunningCore | undefined;
  #front: WatchedProcess | undefined;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#log = makeLog(options.env);
    this.started = this.#start();
  }

  /** Refuses new changes, waits for running changes and their answers, and stops the front. */
  async stop(reason: string): Promise<void> {
    await this.#core?.drain(reason);
    await Promise.all([this.#front?.stop(reason), this.#core?.stopRemote(reason), this.#socket?.stop()]);
    await this.#core?.close();
  }

  async #start(): Promise<Started> {
    const { home, settings, env } = this.#options;
    await makeHome(home);
    // The socket comes first, because it shows that no other server runs in this home.
    this.#socket = await LocalSocket.open(home.socket);
    try {
      // A port in use ends the start here, before anything was changed.
      const listener = bindPort(settings.listen);
      this.#listener = listener;
      const runner = new ProgramRunner();
      const { starter, user } = await chooseStarter(frontKind, { env, log: this.#log, runner });
      const ready = Promise.withResolvers<ReadyCore>();
      const serving = this.#startFront(starter, listener, ready.promise);
      // Loaded now, while the front loads its code on another processor.
      const { RunningCore } = await import('./runningCore.ts');
      const core = new RunningCore({
        ...{ home, settings, env, log: this.#log, runner, listening: listener.where, front: user },
        frontRestarts: this.#frontRestarts,
        onDirectory: (directory) => this.#front?.notify(messages.directory, directory),
      });
      this.#core = core;
      const { entryPoints, forFront, ...started } = await core.start();
      this.#socket.serve((socket) => entryPoints.runLocal(socket));
      ready.resolve(forFront);
      await serving;
      return { ...started, listening: listener.where, remote: await core.serve() };
    } catch (error) {
      await this.#core?.abandon();
      await this.#front?.stop('the start failed', 500);
      this.#listener?.close();
      this.#socket.close();
      throw error;
    }
  }

  #startFront(starter: ProcessStarter, listener: Listener, ready: Promise<ReadyCore>): Promise<void> {
    const { process, serving } = startFront({
      ready,
      starter,
      listener,
      log: this.#log,
      onReplaced: (why) => {
        this.#frontRestarts.replaced(why);
        this.#core?.frontReplaced();
      },
    });
    this.#front = process;
    // What ends it before core is ready is thrown when core is.
    serving.catch(() => undefined);
    return serving;
  }
}
