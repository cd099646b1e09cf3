/** The privileged process: composes core, opens its entry points, and keeps the front running. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { HostTag } from '../domain/results/about.ts';
import { Incus } from '../host/incus/incus.ts';
import { incusSocketPath } from '../host/incus/socket.ts';
import { SocketReads } from '../host/incus/socketReads.ts';
import { ProgramRunner } from '../host/runner.ts';
import type { RunningMetrics } from '../metrics/startMetrics.ts';
import { messages, type FrontStart, type Greeting, type Listening } from '../protocol/messages.ts';
import { serverHostKeys, type ServerHostKey, type ServerHostKeys } from '../service/access/hostKeyFiles.ts';
import { useInvitation } from '../service/useInvitation.ts';
import { endedSince } from '../service/shells/ended.ts';
import { makeHome, type Home } from '../settings/home.ts';
import type { Settings } from '../settings/settings.ts';
import { compose, type Composition } from './compose.ts';
import { concerns } from './calls/concerns.ts';
import { startFront } from './frontInterface.ts';
import { EntryPoints } from './entryPoints/entryPoints.ts';
import { notesFor } from './entryPoints/notes.ts';
import { LocalSocket } from './entryPoints/localSocket.ts';
import { chooseStarter, type ChosenStarter } from './processes/starterChoice.ts';
import { FrontRestarts } from './processes/frontRestarts.ts';
import type { WatchedProcess } from './processes/watchedProcess.ts';
import { bindPort, type Listener } from './processes/listener.ts';
import { frontKind, remoteKind } from './processes/processStarter.ts';
import { PenaltyRecords } from './records/penaltyRecords.ts';
import { RemoteInterface } from './remoteInterface.ts';
import { lanes } from './schedule/scheduler.ts';
import { runMetrics } from './runningMetrics.ts';
import { firstAdmins, madeKey, type FirstAdmin } from './start/firstAdmins.ts';
import { chooseHost } from './start/hostChoice.ts';
import { realHost, simulatedHost } from './start/hostParts.ts';
import { makeLog } from './start/log.ts';
import { every, recover, withFirewall } from './start/upkeep.ts';
import { defaultSizes } from './start/defaultSizes.ts';
import { followMoves } from './start/otherMachine.ts';
import { packageVersion } from './start/packageVersion.ts';

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

/** Interval between checks for expired logins, in milliseconds. */
const recheckEveryMs = 1000;
/** Interval between reads of the owners' keys, to notice changes made in Incus itself, in milliseconds. */
const directoryEveryMs = 30_000;
/** Interval between attempts to end unfinished operations, in milliseconds. */
const recoverEveryMs = 15_000;
/** Interval between checks that the firewall is in force, in milliseconds: "nft flush ruleset" removes it. */
const firewallEveryMs = 60_000;
/** Interval between looks at the schedule, in milliseconds. Jobs are due at whole minutes. */
const scheduleEveryMs = 30_000;
/** Interval between checks whether the remote interface needs a new certificate, in milliseconds. */
const renewEveryMs = 3_600_000;
/** How long a start waits for the firewall and unfinished operations, in milliseconds. */
const recoverAtStartMs = 5000;
/** How long a stop waits for running changes, in milliseconds. */
const drainMs = 60_000;

/** What a start prepares before it composes core. */
interface Prepared {
  readonly version: string;
  readonly hostKeys: ServerHostKeys;
  readonly listener: Listener;
  readonly front: ChosenStarter;
  readonly remote: ChosenStarter;
  readonly host: HostTag;
}

export class Server {
  readonly started: Promise<Started>;
  readonly #options: ServerOptions;
  readonly #log: Logger;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #frontRestarts = new FrontRestarts();
  #socket: LocalSocket | undefined;
  #listener: Listener | undefined;
  #core: Composition | undefined;
  #unfollow: (() => void) | undefined;
  #penaltyRecords: PenaltyRecords | undefined;
  #metrics: RunningMetrics | undefined;
  #front: WatchedProcess | undefined;
  #remote: RemoteInterface | undefined;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#log = makeLog(options.env);
    this.started = this.#start();
  }

  /** Refuses new changes, waits for running changes and their answers, and stops the front. */
  async stop(reason: string): Promise<void> {
    const core = this.#core;
    core?.dispatcher.refuse(reason);
    for (const timer of this.#timers) clearInterval(timer);
    this.#unfollow?.();
    const idle = core?.scheduler.stop();
    const followed = core?.connections.stop();
    const deadline = performance.now() + drainMs;
    while ((core?.operations.active === true || core?.dispatcher.changing === true) && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 100));
    await Promise.all([this.#front?.stop(reason), this.#remote?.stop(reason), this.#socket?.stop()]);
    await Promise.race([
      idle,
      new Promise((resolve) => setTimeout(resolve, Math.max(0, deadline - performance.now())).unref()),
    ]);
    await core?.service.alerts.delivery.stop();
    await core?.state.settled();
    this.#metrics?.stop();
    await followed;
    await core?.loginEvents.settled();
    await core?.dispatcher.settled().catch(() => undefined);
    this.#penaltyRecords?.flush();
    await core?.journal.close();
  }

  async #start(): Promise<Started> {
    const { home } = this.#options;
    await makeHome(home);
    // The socket comes first, because it shows that no other server runs in this home.
    this.#socket = await LocalSocket.open(home.socket);
    try {
      const ground = await this.#prepare();
      const core = await this.#compose(ground);
      const first = await this.#recoverAndRecordStart(core, ground);
      const entryPoints = this.#entryPoints(core, ground);
      this.#socket.serve((socket) => entryPoints.runLocal(socket));
      await this.#startFront(core, ground, entryPoints);
      await this.#startRemote(core, ground, entryPoints);
      if (!ground.host.simulated) void followMoves(core, join(home.state, 'machine.json'), this.#log);
      this.#startTimers(core);
      const { host, listener, hostKeys, version } = ground;
      return {
        host,
        listening: listener.where,
        hostKey: hostKeys.current,
        firstAdmins: first,
        madeKey: await madeKey(this.#options.home, core.service.admins),
        version,
        remote: this.#remote?.listening,
      };
    } catch (error) {
      this.#metrics?.stop();
      await this.#remote?.stop('the start failed', 500);
      await this.#front?.stop('the start failed', 500);
      this.#listener?.close();
      this.#socket.close();
      throw error;
    }
  }

  /** Binds the port and chooses the host. A port in use ends the start here, before anything was changed. */
  async #prepare(): Promise<Prepared> {
    const { home, settings, env } = this.#options;
    const version = await packageVersion();
    const hostKeys = await serverHostKeys(home.keys);
    const listener = bindPort(settings.listen);
    this.#listener = listener;
    const runner = new ProgramRunner();
    const front = await chooseStarter(frontKind, { env, log: this.#log, runner });
    const remote = await chooseStarter(remoteKind, { env, log: this.#log, runner });
    const host = await chooseHost({
      wanted: settings.host,
      isRoot: process.getuid?.() === 0,
      statePath: home.hostChoice,
      incus: new Incus({ runner, reads: new SocketReads(incusSocketPath(env)) }, settings.timeouts),
    });
    return { version, hostKeys, listener, front, remote, host };
  }

  async #compose({ version, hostKeys, listener, front, host }: Prepared): Promise<Composition> {
    const { home, settings, env } = this.#options;
    const authorizedKeysFolder = settings.jump.authorizedKeysFolder ?? home.authorizedKeys;
    const core = await compose({
      host,
      parts: host.simulated
        ? await simulatedHost(home.state, env)
        : realHost(new ProgramRunner(), env, authorizedKeysFolder, settings.jump.group),
      settings,
      folders: home,
      firewallFile: home.firewall,
      authorizedKeysFolder,
      version,
      log: this.#log,
      port: () => listener.where.port,
      front: front.user,
      hostKeys: { current: hostKeys.current.fingerprint, next: hostKeys.next?.fingerprint },
      onDirectory: (directory) => {
        this.#front?.notify(messages.directory, directory);
        void this.#remote?.follow();
      },
      metrics: () => this.#metrics?.metrics,
    });
    this.#core = core;
    this.#penaltyRecords = new PenaltyRecords({ append: (entry) => core.journal.append(entry) });
    const { listen } = settings.metrics;
    if (listen !== undefined) this.#metrics = await runMetrics(core, listen, this.#log);
    return core;
  }

  /**
   * Loads the firewall, ends operations that an earlier start left unfinished, makes the first admins, and records the
   * start.
   */
  async #recoverAndRecordStart(
    { service, operations, journal, directory }: Composition,
    ground: Prepared,
  ): Promise<readonly FirstAdmin[]> {
    const { home, env } = this.#options;
    // With a host that does not answer this would take minutes. Until an operation is ended, its target stays locked.
    await Promise.race([
      withFirewall(() => service.firewall.apply(), this.#log).then(() => recover(operations, this.#log)),
      new Promise((resolve) => setTimeout(resolve, recoverAtStartMs).unref()),
    ]);
    const first = await firstAdmins(home, service.admins, env, new Date());
    for (const { name, keys } of first)
      await journal.append({ type: 'first-admin', target: name, keys: keys.map((key) => key.fingerprint) });
    await journal.append({ type: 'start', version: ground.version, host: ground.host.kind });
    await directory.refresh();
    return first;
  }

  #entryPoints(
    { service, state, dispatcher, logins, loginEvents, directory, journal, feed }: Composition,
    { version, host }: Prepared,
  ): EntryPoints {
    const { home } = this.#options;
    const greeting: Greeting = { version, host: { ...host }, defaults: defaultSizes(this.#options.settings) };
    return new EntryPoints({
      greeting,
      dispatcher,
      logins,
      frontRestarts: this.#frontRestarts,
      memory: state.memory,
      notes: (actor) => notesFor(actor, service, directory.endings),
      feed,
      service,
      onPenalty: (penalty) => this.#penaltyRecords?.add(penalty),
      endedSince: (actor, since) =>
        endedSince(home.journal, { reader: actor, since, now: service.now() }, (call) => concerns(actor, call)),
      refused: (report) => loginEvents.refusals(report),
      unsupportedRequests: (actor, counts) => loginEvents.unsupportedRequests(actor, counts),
      useInvitation: (proof, address) =>
        useInvitation(
          {
            service,
            admins: service.admins,
            invitations: service.invitations,
            logins,
            journal,
            changed: () => directory.refresh(),
          },
          proof,
          address,
        ),
    });
  }

  #startFront({ service, directory }: Composition, ground: Prepared, entryPoints: EntryPoints): Promise<void> {
    const { settings } = this.#options;
    const { version, host, hostKeys, listener, front } = ground;
    const start = (): FrontStart => ({
      version,
      host: { ...host },
      defaults: defaultSizes(this.#options.settings),
      listen: listener.where,
      hostKeys: [hostKeys.current.privateKey, ...(hostKeys.next === undefined ? [] : [hostKeys.next.privateKey])],
      directory: directory.directory as FrontStart['directory'],
      ...service.bans.forFront(),
      limits: settings.ssh,
      transport: settings.ssh,
    });
    const { process, serving } = startFront({
      start,
      serve: (connection) => entryPoints.serveFront(connection),
      starter: front.starter,
      listener,
      log: this.#log,
      onReplaced: (why) => {
        this.#frontRestarts.replaced(why);
        this.#metrics?.metrics.frontReplaced();
      },
    });
    this.#front = process;
    return serving;
  }

  async #startRemote(
    { service }: Composition,
    { version, host, remote }: Prepared,
    entryPoints: EntryPoints,
  ): Promise<void> {
    this.#remote = new RemoteInterface({
      settings: this.#options.settings,
      certificates: service.certificates,
      bans: service.bans,
      starter: remote.starter,
      greeting: { version, host: { ...host } },
      log: this.#log,
      serve: (connection) => entryPoints.serveRemote(connection),
    });
    await this.#remote.start();
  }

  #startTimers({ service, logins, directory, operations, scheduler, connections }: Composition): void {
    connections.start();
    // A simulated host answers at once, and its state is a file that anything may change.
    if (!service.host.simulated) this.#unfollow = service.mirror.follow({ watches: false, updated: () => undefined });
    for (const lane of lanes) void scheduler.tick(lane);
    // Lists show when each container was backed up last. Without a place for backups there is nothing to know.
    void service.backupAges.refresh().catch(() => undefined);
    this.#timers.push(...lanes.map((lane) => every(scheduleEveryMs, () => scheduler.tick(lane))));
    this.#timers.push(setInterval(() => logins.recheck(), recheckEveryMs).unref());
    this.#timers.push(every(directoryEveryMs, () => directory.refresh()));
    this.#timers.push(every(recoverEveryMs, () => recover(operations, this.#log)));
    this.#timers.push(every(renewEveryMs, () => this.#remote?.renew(new Date()) ?? Promise.resolve()));
    this.#timers.push(every(firewallEveryMs, () => withFirewall(() => service.firewall.keep(), this.#log)));
  }
}
