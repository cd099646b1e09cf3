/** The privileged process: puts host, journal, service and protocol together, and keeps the front running. */
import { readFile } from 'node:fs/promises';
import type { Server, Socket } from 'node:net';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { isVerbName, verbNamed } from '../catalogue/catalogue.ts';
import type { HostTag } from '../domain/container.ts';
import { Failure } from '../domain/failure.ts';
import { Accounts } from '../host/accounts.ts';
import { Incus } from '../host/incus.ts';
import { KeyScan } from '../host/keyscan.ts';
import { ProgramRunner } from '../host/runner.ts';
import { Sshd } from '../host/sshd.ts';
import { poolTrouble } from '../host/zpool.ts';
import { Journal, type JournalEntry } from '../journal/journal.ts';
import { OpenOperationsReader } from '../journal/openOperations.ts';
import { Operations } from '../journal/operations.ts';
import type { FrontStart, Greeting, Listening } from '../protocol/messages.ts';
import { verifyRecords } from '../service/audit.ts';
import { endedSince } from '../service/ended.ts';
import { ContainerFeed } from '../service/feed.ts';
import type { ServiceContext } from '../service/context.ts';
import { makeSteps } from '../service/steps.ts';
import { makeHome, packageRoot, type Home } from '../settings/home.ts';
import type { Settings } from '../settings/settings.ts';
import { DirectoryKeeper } from './directoryKeeper.ts';
import { Dispatcher } from './dispatcher.ts';
import { firstAdmin, type FirstAdmin } from './firstStart.ts';
import { HostKeyService } from './hostKeyService.ts';
import { serverHostKeys, type ServerHostKey } from './hostKeys.ts';
import { chooseStarter, type ChosenStarter } from './frontChoice.ts';
import { FrontNews } from './frontNews.ts';
import { FrontProcess, type FrontOptions } from './frontProcess.ts';
import { makeHandlers } from './handlers.ts';
import { useInvitation } from './invited.ts';
import { chooseHost } from './hostChoice.ts';
import { realHost, simulatedHost } from './hostParts.ts';
import { bindPort, type Listener } from './listener.ts';
import { listenLocally } from './localSocket.ts';
import { makeLog } from './log.ts';
import { LoginEvents } from './loginEvents.ts';
import { startMetrics, type RunningMetrics } from './runningMetrics.ts';
import { Logins, mostLogins } from './logins.ts';
import { PenaltyRecords } from './penaltyRecords.ts';
import { Room } from './room.ts';
import { StateFiles } from './stateFiles.ts';
import { Ways } from './ways.ts';

export interface CoreOptions {
  readonly home: Home;
  readonly settings: Settings;
  readonly env: NodeJS.ProcessEnv;
}

/** What a started server tells whoever started it. */
export interface Started {
  readonly host: HostTag;
  readonly listening: Listening;
  readonly hostKey: ServerHostKey;
  readonly firstAdmin: FirstAdmin | undefined;
  readonly version: string;
}

/** How often it is looked whether a login has expired, in milliseconds. */
const recheckEveryMs = 1000;
/** How often owners' keys are read from Incus, for changes made behind this server's back, in milliseconds. */
const identitiesEveryMs = 30_000;
/** How often operations that could not be taken back are tried again, in milliseconds. */
const recoverEveryMs = 15_000;
/** How long the start waits for them, in milliseconds. */
const recoverAtStartMs = 5000;

export class Core {
  readonly started: Promise<Started>;
  readonly #options: CoreOptions;
  readonly #log: Logger;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #news = new FrontNews();
  #listener: Listener | undefined;
  #front: FrontProcess | undefined;
  #socket: Server | undefined;
  #journal: Journal | undefined;
  #dispatcher: Dispatcher | undefined;
  #operations: Operations | undefined;
  #state: StateFiles | undefined;
  #penaltyRecords: PenaltyRecords | undefined;
  readonly #events: LoginEvents;
  #metrics: RunningMetrics | undefined;
  readonly #logins = new Logins({
    now: () => new Date(),
    opened: (actor, means) => {
      this.#state?.lastUses.note(actor, new Date());
      this.#events.opened(actor, means);
    },
    closed: (actor, since, reason) => this.#events.closed(actor, since, reason),
    notProved: (username, address) => this.#events.notProved(username, address),
  });

  constructor(options: CoreOptions) {
    this.#options = options;
    this.#log = makeLog(options.env);
    const append = (entry: JournalEntry): Promise<unknown> => this.#journal?.append(entry) ?? Promise.resolve();
    this.#events = new LoginEvents({
      append,
      log: this.#log,
      now: Date.now,
      counted: {
        login: (actor) => this.#metrics?.figures.login(actor),
        refusals: (report) => this.#metrics?.figures.refusals(report),
      },
    });
    this.started = this.#start();
  }

  /**
   * Stops: no new changes, running operations and what is to be told of them are waited for, the front says goodbye.
   */
  async stop(reason: string): Promise<void> {
    this.#dispatcher?.refuse(reason);
    for (const timer of this.#timers) clearInterval(timer);
    const deadline = Date.now() + 60_000;
    while ((this.#operations?.active === true || this.#dispatcher?.changing === true) && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 100));
    await this.#front?.stop(reason);
    this.#socket?.close();
    await this.#state?.settled();
    this.#metrics?.stop();
    await this.#events.settled();
    this.#penaltyRecords?.flush();
    await this.#journal?.close();
  }

  async #start(): Promise<Started> {
    const { home } = this.#options;
    await makeHome(home);
    const accept = { handler: (socket: Socket): void => void socket.destroy() };
    this.#socket = await listenLocally(home.socket, (socket) => accept.handler(socket));
    try {
      return await this.#startHolding(accept);
    } catch (error) {
      this.#metrics?.stop();
      await this.#front?.stop('the start failed', 500);
      this.#listener?.close();
      this.#socket.close();
      throw error;
    }
  }

  async #startHolding(accept: { handler: (socket: Socket) => void }): Promise<Started> {
    const { home, settings, env } = this.#options;
    const version = await packageVersion();
    const hostKeys = await serverHostKeys(home.keys);
    const state = await StateFiles.open(home.state, settings.ssh.penalties.maxMs, this.#log);
    this.#state = state;
    const { admins, authorities, invitations, memory, bans } = state;
    // Before anything is done: a port that is taken ends it here.
    const listener = bindPort(settings.listen);
    this.#listener = listener;
    const authorizedKeysFolder = settings.jump.authorizedKeysFolder ?? home.authorizedKeys;
    const programs = new ProgramRunner();
    const front = await chooseStarter({ env, log: this.#log, runner: programs });
    const host = await chooseHost({
      wanted: settings.host,
      isRoot: process.getuid?.() === 0,
      statePath: join(home.state, 'host.json'),
      incus: new Incus(programs, settings.timeouts),
    });
    const parts = host.simulated
      ? simulatedHost(home.state, env)
      : realHost(programs, env, authorizedKeysFolder, settings.jump.group);
    const incus = new Incus(parts.runner, settings.timeouts);
    const accounts = new Accounts(parts.runner);
    const jumpKeys = parts.jumpKeys(accounts);
    const steps = makeSteps({ incus, accounts, jumpKeys, jumpGroup: settings.jump.group });

    const journal = await Journal.open({
      folder: home.journal,
      segmentBytes: settings.journal.segmentBytes,
      carry: () => this.#operations?.carry() ?? null,
    });
    this.#journal = journal;
    if (journal.repaired !== undefined)
      this.#log.warn({ repaired: journal.repaired }, 'the end of the journal was torn and has been cut off');
    if (settings.metrics.listen !== undefined)
      this.#metrics = startMetrics(
        settings.metrics.listen,
        { version, host: host.kind },
        { logins: this.#logins, operations: () => this.#operations, journal },
        this.#log,
      );
    const penaltyRecords = new PenaltyRecords({ append: (entry) => journal.append(entry) });
    this.#penaltyRecords = penaltyRecords;
    const operations = new Operations({ recorder: journal, kinds: Object.values(steps) });
    this.#operations = operations;
    const reader = new OpenOperationsReader();
    for await (const record of journal.currentSegment()) reader.read(record);
    operations.adopt(reader.operations());

    const service: ServiceContext = {
      host,
      settings,
      incus,
      streams: parts.streams,
      accounts,
      keyscan: new KeyScan(parts.runner),
      jumpKeys,
      operations,
      steps,
      log: this.#log,
      now: () => new Date(),
    };
    const room = new Room();
    const feed = new ContainerFeed({ incus, source: parts.streams });
    const handlers = makeHandlers({
      service,
      admins,
      authorities,
      invitations,
      port: () => listener.where.port,
      room,
      logins: this.#logins,
      bans,
      hostKeys: new HostKeyService({
        folder: home.keys,
        running: { current: hostKeys.current.fingerprint, next: hostKeys.next?.fingerprint },
        port: () => listener.where.port,
      }),
      feed,
      doctor: {
        front: front.is,
        sshd: new Sshd(parts.runner, settings.jump.sshdConfig),
        authorizedKeysFolder,
        verifyJournal: (signal) => verifyRecords(home.journal, signal),
        server: {
          hostKeyPath: join(home.keys, 'host_ed25519'),
          stateFolder: home.state,
          journalFolder: home.journal,
          admins: () => admins.list(),
          logins: () => ({ open: this.#logins.list().filter(({ door }) => door !== 'local').length, most: mostLogins }),
        },
        poolTrouble: (pool, signal) => poolTrouble(parts.runner, pool, signal),
      },
      journalFolder: home.journal,
      version,
    });
    const keeper = new DirectoryKeeper({
      service,
      own: state,
      log: this.#log,
      changed: (directory) => {
        this.#logins.allow(directory);
        this.#front?.directory(directory);
      },
      asked: (answered) => this.#metrics?.figures.incus(answered),
    });
    const changed = (): Promise<void> => keeper.refresh();
    const dispatcher = new Dispatcher({
      journal,
      handlers,
      room,
      now: Date.now,
      changed,
      measured: (verb, outcome, ms) => this.#metrics?.figures.call(verb, outcome, ms),
      touch: { withinMs: settings.ssh.touchBeforeDeleteMs, touchedAt: (login) => this.#logins.touchedAt(login) },
    });
    this.#dispatcher = dispatcher;

    // With a host that does not answer this would take minutes: what is not ended by then goes on holding its target.
    await Promise.race([
      this.#recover(operations),
      new Promise((resolve) => setTimeout(resolve, recoverAtStartMs).unref()),
    ]);
    const first = await firstAdmin(home, admins, env, new Date());
    if (first !== undefined) {
      await journal.append({ type: 'first-admin', target: first.name, keys: first.keys.map((key) => key.fingerprint) });
    }
    await journal.append({ type: 'start', version, host: host.kind });
    await changed();

    const greeting: Greeting = { version, host: { ...host } };
    const ways = new Ways({
      greeting,
      dispatcher,
      logins: this.#logins,
      sessions: () => this.#logins.list(),
      news: this.#news,
      room,
      memory,
      feed,
      service,
      admins,
      authorities,
      bans,
      penaltyRecords,
      endedSince: (actor, since) =>
        // Of what only looks, the journal has an end where it failed: nobody else's news.
        endedSince(
          home.journal,
          since,
          ({ verb, target }) =>
            changesSomething(verb) &&
            (actor.door !== 'self' || (target !== null && actor.owns?.includes(target) === true)),
        ),
      refused: (report) => this.#events.refusals(report),
      notOffered: (actor, counts) => this.#events.notOffered(actor, counts),
      useInvitation: (proof, address) =>
        useInvitation({ service, admins, invitations, logins: this.#logins, journal, changed }, proof, address),
    });
    accept.handler = (socket) => ways.local(socket);
    await this.#startFront(front.starter, listener, {
      start: () => ({
        ...greeting,
        listen: listener.where,
        hostKeys: [hostKeys.current.privateKey, ...(hostKeys.next === undefined ? [] : [hostKeys.next.privateKey])],
        directory: keeper.directory as FrontStart['directory'],
        ...bans.forFront(),
        limits: settings.ssh,
        transport: settings.ssh,
      }),
      serve: (connection) => ways.front(connection),
    });
    this.#timers.push(setInterval(() => this.#logins.recheck(), recheckEveryMs).unref());
    this.#every(identitiesEveryMs, changed);
    this.#every(recoverEveryMs, () => this.#recover(operations));
    return { host, listening: listener.where, hostKey: hostKeys.current, firstAdmin: first, version };
  }

  /** Calls `act` again and again, but never while it is still at work. */
  #every(ms: number, act: () => Promise<void>): void {
    let working = false;
    const tick = async (): Promise<void> => {
      if (working) return;
      working = true;
      await act().finally(() => (working = false));
    };
    this.#timers.push(setInterval(() => void tick(), ms).unref());
  }

  /** Ends what an earlier process left open; what cannot be ended now is tried again later. */
  async #recover(operations: Operations): Promise<void> {
    if (operations.unfinished().length === 0) return;
    const left = await operations.recover();
    for (const operation of left)
      this.#log.error(
        { operation: operation.id, verb: operation.verb, target: operation.target },
        'an operation could not be taken back yet',
      );
  }

  #startFront(
    starter: ChosenStarter['starter'],
    listener: Listener,
    what: Pick<FrontOptions, 'start' | 'serve'>,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#front = new FrontProcess({
        ...what,
        starter,
        listener,
        log: this.#log,
        onServing: resolve,
        onFatal: (reason) =>
          reject(
            new Failure('settings', { what: 'the SSH server', why: reason, next: 'CONTAINARIUM_LOG=debug says more' }),
          ),
        onReplaced: (why) => {
          this.#news.replaced(why);
          this.#metrics?.figures.frontReplaced();
        },
      });
    });
  }
}

function changesSomething(verb: string): boolean {
  return isVerbName(verb) && verbNamed(verb).changes;
}

async function packageVersion(): Promise<string> {
  const manifest = JSON.parse(await readFile(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
  return manifest.version;
}
