/** core in its process: composed on its host, with what happens at its start, at set times, and at its end. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Directory } from '../domain/access/directory.ts';
import type { HostTag } from '../domain/results/about.ts';
import { Incus } from '../host/incus/incus.ts';
import { incusSocketPath } from '../host/incus/socket.ts';
import { SocketReads } from '../host/incus/socketReads.ts';
import type { Runner } from '../host/runner.ts';
import type { RunningMetrics } from '../metrics/startMetrics.ts';
import type { FrontStart, Greeting, Listening } from '../protocol/messages.ts';
import { serverHostKeys, type ServerHostKey, type ServerHostKeys } from '../service/access/hostKeyFiles.ts';
import type { FrontUser } from '../service/checks/tools.ts';
import { useInvitation } from '../service/useInvitation.ts';
import { endedSince } from '../service/shells/ended.ts';
import type { Home } from '../settings/home.ts';
import type { Settings } from '../settings/settings.ts';
import { compose, type Composition } from './compose.ts';
import { concerns } from './calls/concerns.ts';
import type { ReadyCore } from './frontInterface.ts';
import { EntryPoints } from './entryPoints/entryPoints.ts';
import { notesFor } from './entryPoints/notes.ts';
import type { FrontRestarts } from './processes/frontRestarts.ts';
import { remoteKind } from './processes/processStarter.ts';
import { chooseStarter } from './processes/starterChoice.ts';
import { PenaltyRecords } from './records/penaltyRecords.ts';
import { RemoteInterface } from './remoteInterface.ts';
import { lanes } from './schedule/scheduler.ts';
import { runMetrics } from './runningMetrics.ts';
import { defaultSizes } from './start/defaultSizes.ts';
import { firstAdmins, madeKey, type FirstAdmin } from './start/firstAdmins.ts';
import { chooseHost } from './start/hostChoice.ts';
import { realHost, simulatedHost } from './start/hostParts.ts';
import { followMoves } from './start/otherMachine.ts';
import { packageVersion } from './start/packageVersion.ts';
import { every, recover, withFirewall } from './start/upkeep.ts';

export interface RunningCoreOptions {
  readonly home: Home;
  readonly settings: Settings;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Logger;
  readonly runner: Runner;
  /** Where the front listens. */
  readonly listening: Listening;
  /** The user of the front. */
  readonly front: FrontUser;
  readonly frontRestarts: FrontRestarts;
  /** Called when other keys may log in. */
  readonly onDirectory: (directory: Directory) => void;
}

/** What a start has found and made. */
export interface StartedCore {
  readonly version: string;
  readonly host: HostTag;
  readonly hostKey: ServerHostKey;
  readonly firstAdmins: readonly FirstAdmin[];
  /** The private key that this or an earlier start made for the first admin, while it lets an admin in. */
  readonly madeKey: string | undefined;
  readonly entryPoints: EntryPoints;
  readonly forFront: ReadyCore;
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

/** What core is composed of. */
interface Ground {
  readonly version: string;
  readonly host: HostTag;
  readonly hostKeys: ServerHostKeys;
}

export class RunningCore {
  readonly #options: RunningCoreOptions;
  readonly #timers: NodeJS.Timeout[] = [];
  #core: Composition | undefined;
  #penaltyRecords: PenaltyRecords | undefined;
  #metrics: RunningMetrics | undefined;
  #remote: RemoteInterface | undefined;
  #unfollow: (() => void) | undefined;
  /** Since when a stop waits. */
  #stoppingMs = 0;
  /** Resolves when no job of the schedule runs any more. */
  #idle: Promise<unknown> | undefined;
  /** Resolves when the connections of the host are no longer followed. */
  #followed: Promise<unknown> | undefined;

  constructor(options: RunningCoreOptions) {
    this.#options = options;
  }

  /** Composes core, ends what an earlier start left unfinished, and records the start. */
  async start(): Promise<StartedCore> {
    const ground = await this.#ground();
    const core = await this.#compose(ground);
    const first = await this.#recoverAndRecordStart(core, ground);
    const entryPoints = this.#entryPoints(core, ground);
    this.#remote = await this.#remoteInterface(core, ground, entryPoints);
    return {
      version: ground.version,
      host: ground.host,
      hostKey: ground.hostKeys.current,
      firstAdmins: first,
      madeKey: await madeKey(this.#options.home, core.service.admins),
      entryPoints,
      forFront: this.#forFront(core, ground, entryPoints),
    };
  }

  /**
   * Starts the remote interface, and what core does at set times. Resolves with where the remote interface listens, if
   * it does.
   */
  async serve(): Promise<Listening | undefined> {
    const core = this.#core;
    if (core === undefined) return undefined;
    await this.#remote?.start();
    if (!core.service.host.simulated)
      void followMoves(core, join(this.#options.home.state, 'machine.json'), this.#options.log);
    this.#startTimers(core);
    return this.#remote?.listening;
  }

  frontReplaced(): void {
    this.#metrics?.metrics.frontReplaced();
  }

  /** Gives up a start that has failed elsewhere. */
  async abandon(): Promise<void> {
    this.#metrics?.stop();
    await this.#remote?.stop('the start failed', 500);
  }

  /** Refuses new changes, and waits for running changes. */
  async drain(reason: string): Promise<void> {
    const core = this.#core;
    core?.dispatcher.refuse(reason);
    for (const timer of this.#timers) clearInterval(timer);
    this.#unfollow?.();
    this.#idle = core?.scheduler.stop();
    this.#followed = core?.connections.stop();
    this.#stoppingMs = performance.now();
    while ((core?.operations.active === true || core?.dispatcher.changing === true) && this.#leftMs > 0)
      await new Promise((resolve) => setTimeout(resolve, 100));
  }

  /** Disconnects the clients of the remote interface. */
  async stopRemote(reason: string): Promise<void> {
    await this.#remote?.stop(reason);
  }

  /** Closes what is open, when nobody is connected any more. */
  async close(): Promise<void> {
    const core = this.#core;
    await Promise.race([this.#idle, new Promise((resolve) => setTimeout(resolve, this.#leftMs).unref())]);
    await core?.service.alerts.delivery.stop();
    await core?.state.settled();
    this.#metrics?.stop();
    await this.#followed;
    await core?.loginEvents.settled();
    await core?.dispatcher.settled().catch(() => undefined);
    this.#penaltyRecords?.flush();
    await core?.journal.close();
  }

  /** How long a stop may still wait. */
  get #leftMs(): number {
    return Math.max(0, this.#stoppingMs + drainMs - performance.now());
  }

  /** Chooses the host. */
  async #ground(): Promise<Ground> {
    const { home, settings, env, runner } = this.#options;
    return {
      version: await packageVersion(),
      hostKeys: await serverHostKeys(home.keys),
      host: await chooseHost({
        wanted: settings.host,
        isRoot: process.getuid?.() === 0,
        statePath: home.hostChoice,
        incus: new Incus({ runner, reads: new SocketReads(incusSocketPath(env)) }, settings.timeouts),
      }),
    };
  }

  async #compose({ version, hostKeys, host }: Ground): Promise<Composition> {
    const { home, settings, env, log, runner, listening, front, onDirectory } = this.#options;
    const authorizedKeysFolder = settings.jump.authorizedKeysFolder ?? home.authorizedKeys;
    const core = await compose({
      host,
      parts: host.simulated
        ? await simulatedHost(home.state, env)
        : realHost(runner, env, authorizedKeysFolder, settings.jump.group),
      settings,
      folders: home,
      firewallFile: home.firewall,
      authorizedKeysFolder,
      version,
      log,
      port: () => listening.port,
      front,
      hostKeys: { current: hostKeys.current.fingerprint, next: hostKeys.next?.fingerprint },
      onDirectory: (directory) => {
        onDirectory(directory);
        void this.#remote?.follow();
      },
      metrics: () => this.#metrics?.metrics,
    });
    this.#core = core;
    this.#penaltyRecords = new PenaltyRecords({ append: (entry) => core.journal.append(entry) });
    const { listen } = settings.metrics;
    if (listen !== undefined) this.#metrics = await runMetrics(core, listen, log);
    return core;
  }

  /**
   * Loads the firewall, ends operations that an earlier start left unfinished, makes the first admins, and records the
   * start.
   */
  async #recoverAndRecordStart(
    { service, operations, journal, directory }: Composition,
    { version, host }: Ground,
  ): Promise<readonly FirstAdmin[]> {
    const { home, env, log } = this.#options;
    // With a host that does not answer this would take minutes. Until an operation is ended, its target stays locked.
    await Promise.race([
      withFirewall(() => service.firewall.apply(), log).then(() => recover(operations, log)),
      new Promise((resolve) => setTimeout(resolve, recoverAtStartMs).unref()),
    ]);
    const first = await firstAdmins(home, service.admins, env, new Date());
    for (const { name, keys } of first)
      await journal.append({ type: 'first-admin', target: name, keys: keys.map((key) => key.fingerprint) });
    await journal.append({ type: 'start', version, host: host.kind });
    await directory.refresh();
    return first;
  }

  #entryPoints(
    { service, state, dispatcher, logins, loginEvents, directory, journal, feed }: Composition,
    { version, host }: Ground,
  ): EntryPoints {
    const { home, settings, frontRestarts } = this.#options;
    const greeting: Greeting = { version, host: { ...host }, defaults: defaultSizes(settings) };
    return new EntryPoints({
      greeting,
      dispatcher,
      logins,
      frontRestarts,
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

  #forFront(
    { service, directory }: Composition,
    { version, host, hostKeys: { current, next } }: Ground,
    entryPoints: EntryPoints,
  ): ReadyCore {
    const { settings, listening } = this.#options;
    return {
      serve: (connection) => entryPoints.serveFront(connection),
      start: () => ({
        version,
        host: { ...host },
        defaults: defaultSizes(settings),
        listen: listening,
        hostKeys: [current.privateKey, ...(next === undefined ? [] : [next.privateKey])],
        directory: directory.directory as FrontStart['directory'],
        ...service.bans.forFront(),
        limits: settings.ssh,
        transport: settings.ssh,
      }),
    };
  }

  async #remoteInterface(
    { service }: Composition,
    { version, host }: Ground,
    entryPoints: EntryPoints,
  ): Promise<RemoteInterface> {
    const { settings, env, log, runner } = this.#options;
    const { starter } = await chooseStarter(remoteKind, { env, log, runner });
    return new RemoteInterface({
      settings,
      certificates: service.certificates,
      bans: service.bans,
      starter,
      greeting: { version, host: { ...host } },
      log,
      serve: (connection) => entryPoints.serveRemote(connection),
    });
  }

  #startTimers({ service, logins, directory, operations, scheduler, connections }: Composition): void {
    const { log } = this.#options;
    connections.start();
    // A simulated host answers at once, and its state is a file that anything may change.
    if (!service.host.simulated) this.#unfollow = service.mirror.follow({ watches: false, updated: () => undefined });
    for (const lane of lanes) void scheduler.tick(lane);
    // Lists show when each container was backed up last. Without a place for backups there is nothing to know.
    void service.backupAges.refresh().catch(() => undefined);
    this.#timers.push(...lanes.map((lane) => every(scheduleEveryMs, () => scheduler.tick(lane))));
    this.#timers.push(setInterval(() => logins.recheck(), recheckEveryMs).unref());
    this.#timers.push(every(directoryEveryMs, () => directory.refresh()));
    this.#timers.push(every(recoverEveryMs, () => recover(operations, log)));
    this.#timers.push(every(renewEveryMs, () => this.#remote?.renew(new Date()) ?? Promise.resolve()));
    this.#timers.push(every(firewallEveryMs, () => withFirewall(() => service.firewall.keep(), log)));
  }
}
