/**
 * The composition root: builds core from its parts, without a process, a port or a protocol. Both the server and the
 * fault tests use it.
 */
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Directory } from '../domain/access/directory.ts';
import { Failure } from '../domain/failure.ts';
import type { HostTag } from '../domain/results/about.ts';
import { endedByCancellation } from '../host/cancellableRunner.ts';
import { Accounts, type LockRetry } from '../host/accounts.ts';
import { BridgeLink } from '../host/firewall/bridgeLink.ts';
import { Nftables } from '../host/firewall/nftables.ts';
import { Incus } from '../host/incus/incus.ts';
import { InstanceMirror } from '../host/mirror/mirror.ts';
import { KeyScan } from '../host/keyscan.ts';
import { OomLog } from '../host/oomKills.ts';
import { SshdLog } from '../host/sshd/log.ts';
import { Zfs } from '../host/zfs/zfs.ts';
import type { JournalFiles } from '../journal/files.ts';
import type { Journal } from '../journal/journal.ts';
import type { Operations, OperationsOptions } from '../journal/operations.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Repository } from '../repository/repository.ts';
import { openRepository } from '../service/backups/open.ts';
import { Alerts } from '../service/alerts/alerts.ts';
import { HostKeyStore } from '../service/access/hostKeyStore.ts';
import type { FrontUser } from '../service/checks/tools.ts';
import type { ServiceContext } from '../service/context.ts';
import type { HostContext } from '../service/instances/context.ts';
import { makeSteps } from '../service/instances/steps.ts';
import { Anchors } from '../service/keeping/anchors.ts';
import { JournalKeeping } from '../service/keeping/journalKeeping.ts';
import { openChannels } from '../service/notify/channels.ts';
import { Delivery } from '../service/notify/delivery.ts';
import { Firewall } from '../service/firewall/firewall.ts';
import { schedule as scheduleActor } from '../service/instances/schedule.ts';
import { ContainerFeed } from '../service/shells/feed.ts';
import { Room } from '../service/shells/room.ts';
import { journalPlaces } from '../settings/home.ts';
import type { Settings } from '../settings/settings.ts';
import { capabilities } from './calls/capabilities.ts';
import { Dispatcher } from './calls/dispatcher.ts';
import { doctorTools } from './doctorTools.ts';
import { openConnectionStore } from './connections/connectionStore.ts';
import { HostConnections } from './connections/hostConnections.ts';
import { JumpAccounts } from './connections/jumpAccounts.ts';
import { BackupAges } from '../service/instances/backupAges.ts';
import { makeJobs } from './schedule/jobs.ts';
import { Scheduler } from './schedule/scheduler.ts';
import { openScheduleStore } from './schedule/scheduleStore.ts';
import { DirectoryKeeper } from './logins/directoryKeeper.ts';
import { Logins } from './logins/logins.ts';
import { LoginEvents } from './records/loginEvents.ts';
import type { HostParts } from './start/hostParts.ts';
import { Rehearsals } from './plan/rehearsals.ts';
import { openJournal, type OpenedJournal } from './start/openJournal.ts';
import { snapshotReader } from './start/snapshotReader.ts';
import { StateFiles } from './start/stateFiles.ts';
import { inTurns } from './turns/hostTurns.ts';

export interface CompositionOptions {
  readonly host: HostTag;
  readonly parts: HostParts;
  readonly settings: Settings;
  readonly folders: {
    readonly state: string;
    readonly journal: string;
    readonly archive: string;
    readonly keys: string;
    readonly certificates: string;
  };
  /** File of the firewall's rules, which systemd loads at boot. */
  readonly firewallFile: string;
  /** Folder of the jump accounts' keys. */
  readonly authorizedKeysFolder: string;
  readonly version: string;
  readonly log: Logger;
  /** Port of the SSH server. */
  readonly port: () => number;
  readonly front: FrontUser;
  /** Fingerprints of the host key that this server presents and of the next one, which it announces. */
  readonly hostKeys: { readonly current: string; readonly next: string | undefined };
  /** Called with each new directory of who may log in. */
  readonly onDirectory?: (directory: Directory) => void;
  readonly metrics?: () => Metrics | undefined;
  readonly journalFiles?: JournalFiles;
  readonly lockRetry?: LockRetry;
  readonly undoRetry?: OperationsOptions['undoRetry'];
}

export interface Composition {
  readonly service: ServiceContext;
  readonly state: StateFiles;
  readonly journal: Journal;
  readonly operations: Operations;
  readonly logins: Logins;
  readonly loginEvents: LoginEvents;
  readonly directory: DirectoryKeeper;
  readonly dispatcher: Dispatcher;
  readonly feed: ContainerFeed;
  readonly scheduler: Scheduler;
  readonly connections: HostConnections;
}

export async function compose(options: CompositionOptions): Promise<Composition> {
  const { settings, folders, log, metrics } = options;
  const parts = endedByCancellation(inTurns(options.parts));
  const now = (): Date => new Date();
  const state = await StateFiles.open(folders.state, {
    certificatesFolder: settings.remote.certificatesFolder ?? folders.certificates,
    maxPenaltyMs: settings.ssh.penalties.maxMs,
    log,
  });
  const incus = new Incus(parts, settings.timeouts, parts.fuse);
  const mirror = new InstanceMirror({ incus, source: parts.streams });
  const accounts = new Accounts(parts.runner, options.lockRetry);
  const jumpKeys = parts.jumpKeys(accounts);
  const repository = (): Promise<Repository> => openRepository(settings.backups);
  const zfs = new Zfs(parts.runner, parts.programStreams, snapshotReader);
  const steps = makeSteps({ incus, accounts, jumpKeys, zfs, jumpGroup: settings.jump.group, repository });
  const { journal, operations }: OpenedJournal = await openJournal({
    rotated: () =>
      void anchors
        .write()
        .catch((error: unknown) => log.warn({ why: Failure.from(error).message }, 'the journal was not anchored')),
    folder: folders.journal,
    segmentBytes: settings.journal.segmentBytes,
    files: options.journalFiles,
    kinds: Object.values(steps),
    undoRetry: options.undoRetry,
  });
  if (journal.repaired !== undefined)
    log.warn({ repaired: journal.repaired }, 'the last record of the journal was incomplete and has been cut off');
  const loginEvents = new LoginEvents({
    append: (entry) => journal.append(entry),
    log,
    now: Date.now,
    counted: {
      login: (actor) => metrics?.()?.login(actor),
      refusals: (report) => metrics?.()?.refusals(report),
    },
  });
  const logins = new Logins({
    now,
    opened: (actor, means) => {
      state.lastUses.note(actor, now());
      loginEvents.opened(actor, means);
    },
    closed: (actor, since, reason) => loginEvents.closed(actor, since, reason),
    proofRejected: (username, address) => loginEvents.proofRejected(username, address),
    insecureAs: settings.remote.insecureAs,
  });
  const host: HostContext = {
    host: options.host,
    settings,
    incus,
    mirror,
    streams: parts.streams,
    zfs,
    accounts,
    keyscan: new KeyScan(parts.runner),
    sshPort: parts.sshPort,
    jumpKeys,
    operations,
    steps,
    repository,
    backupAges: new BackupAges(repository, now),
    oomLog: new OomLog(parts.runner),
    connectionsEnded: (user) => connections.cut(user),
    log,
    now,
  };
  const room = new Room();
  const name = settings.jump.hostname ?? hostname();
  const anchors: Anchors = new Anchors({
    places: settings.journal.anchor,
    runner: parts.runner,
    head: () => journal.head,
    host: name,
    now,
  });
  const keeping = new JournalKeeping({
    places: journalPlaces(folders, settings),
    keepDays: settings.journal.keepDays,
    anchors,
    append: (entry) => journal.append(entry),
    now,
  });
  const delivery = new Delivery({ channels: openChannels(settings, parts.runner), store: state.alerts, now, log });
  const alerts = new Alerts({
    store: state.alerts,
    delivery,
    append: (entry) => journal.append(entry),
    announce: (text) => void room.say(scheduleActor, text, null),
    host: name,
    now,
  });
  const feed = new ContainerFeed(mirror);
  const scheduler: Scheduler = new Scheduler({
    jobs: makeJobs(settings),
    store: await openScheduleStore(join(folders.state, 'schedule.json')),
    service: () => service,
    append: (entry) => journal.append(entry),
    log,
    changed: () => directory.refresh(),
    announce: (text) => void room.say(scheduleActor, text, null),
    now: Date.now,
    monotonic: () => performance.now(),
  });
  const jumpAccounts = new JumpAccounts(accounts, settings.jump.group);
  const connections: HostConnections = new HostConnections({
    log,
    sshdLog: new SshdLog(parts.runner, parts.programStreams),
    processes: parts.sshdProcesses,
    isJumpAccount: (user) => jumpAccounts.has(user),
    store: () => openConnectionStore(join(folders.state, 'connections.json')),
    append: (entry) => journal.append(entry),
    journalFolder: folders.journal,
    now,
  });
  const service: ServiceContext = {
    ...host,
    version: options.version,
    journalFolder: folders.journal,
    journalHead: () => journal.head,
    port: options.port,
    admins: state.admins,
    cas: state.cas,
    certificates: state.certificates,
    invitations: state.invitations,
    bans: state.bans,
    firewall: new Firewall(
      host,
      { nftables: new Nftables(parts.runner), bridgeLink: new BridgeLink(parts.runner) },
      options.firewallFile,
    ),
    hostKeys: new HostKeyStore({ folder: folders.keys, running: options.hostKeys, port: options.port }),
    logins,
    connections,
    records: journal,
    room,
    feed,
    schedule: scheduler,
    alerts,
    keeping,
    doctor: doctorTools({
      runner: parts.runner,
      sshdConfig: settings.jump.sshdConfig,
      front: options.front,
      authorizedKeysFolder: options.authorizedKeysFolder,
      verifyJournal: (signal) => keeping.verify(false, signal),
      folders,
      admins: () => state.admins.list(),
      logins,
    }),
  };
  const directory: DirectoryKeeper = new DirectoryKeeper({
    service,
    own: state,
    log,
    changed: (current) => {
      logins.replaceDirectory(current);
      options.onDirectory?.(current);
    },
    queried: (answered) => metrics?.()?.incus(answered),
  });
  const rehearsals = new Rehearsals({
    service,
    capabilities,
    runner: parts.runner,
    stateFile: parts.stateFile,
    folders: {
      state: folders.state,
      keys: folders.keys,
      certificates: settings.remote.certificatesFolder ?? folders.certificates,
    },
    authorizedKeysFolder: options.authorizedKeysFolder,
    endedBy: (changed) => logins.endedBy(changed),
    hostKeys: (folder) => new HostKeyStore({ folder, running: options.hostKeys, port: options.port }),
    stage: join(folders.state, 'rehearsal'),
  });
  const dispatcher = new Dispatcher({
    journal,
    capabilities,
    plan: (planned) => rehearsals.plan(planned),
    service,
    now: Date.now,
    changed: () => directory.refresh(),
    measured: (verb, outcome, ms) => metrics?.()?.call(verb, outcome, ms),
    remoteAccessVerbs: settings.remote.accessVerbs,
    touch: { withinMs: settings.ssh.touchBeforeDeleteMs, touchedAt: (login) => logins.touchedAt(login) },
  });
  return {
    service,
    state,
    journal,
    operations,
    logins,
    loginEvents,
    directory,
    dispatcher,
    feed,
    scheduler,
    connections,
  };
}
