/**
 * `--plan`: the capability of a verb, run on a copy of the host and of the server's own files. What it does there is
 * the plan, so a plan cannot differ from the code. It writes only to a folder of its own, and tells nobody.
 */
import { writeFileSync } from 'node:fs';
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Actor } from '../../domain/access/actor.ts';
import type { Directory } from '../../domain/access/directory.ts';
import { Failure } from '../../domain/failure.ts';
import type { Plan, PlannedCommand } from '../../domain/results/plan.ts';
import { plural } from '../../domain/text.ts';
import { Accounts } from '../../host/accounts.ts';
import { BridgeLink } from '../../host/firewall/bridgeLink.ts';
import { Nftables } from '../../host/firewall/nftables.ts';
import { ClientReads } from '../../host/incus/clientReads.ts';
import { Incus } from '../../host/incus/incus.ts';
import { KeyScan } from '../../host/keyscan.ts';
import { InstanceMirror } from '../../host/mirror/mirror.ts';
import { OomLog } from '../../host/oomKills.ts';
import type { Runner } from '../../host/runner.ts';
import { Zfs } from '../../host/zfs/zfs.ts';
import { busy } from '../../journal/turns.ts';
import type { Repository } from '../../repository/repository.ts';
import { collectOwners, makeDirectory } from '../../service/access/directory.ts';
import { Alerts, type AlertStore } from '../../service/alerts/alerts.ts';
import type { HostKeyStore } from '../../service/access/hostKeyStore.ts';
import { BackupAges } from '../../service/instances/backupAges.ts';
import type { OpenLogins, ServiceContext } from '../../service/context.ts';
import { Firewall } from '../../service/firewall/firewall.ts';
import { rehearsedKeeping } from '../../service/keeping/journalKeeping.ts';
import { Delivery } from '../../service/notify/delivery.ts';
import type { Call, HostContext } from '../../service/instances/context.ts';
import { makeSteps } from '../../service/instances/steps.ts';
import { Room } from '../../service/shells/room.ts';
import { SimulatedHost } from '../../simulated/host.ts';
import type { Capabilities } from '../calls/capabilities.ts';
import type { PlannedCall } from '../calls/dispatcher.ts';
import type { EndedLogin } from '../logins/logins.ts';
import { rehearsedSchedule } from '../schedule/jobs.ts';
import { snapshotReader } from '../start/snapshotReader.ts';
import { StateFiles } from '../start/stateFiles.ts';
import { copyHost } from './hostCopy.ts';
import { PlanNotes } from './notes.ts';
import { recordingHost } from './recordingHost.ts';
import { RehearsedBackups } from './rehearsedBackups.ts';
import { RehearsedOperations } from './rehearsedOperations.ts';
import { StateCopy, type ServerFolders } from './stateCopy.ts';

export interface RehearsalOptions {
  /** The real context, of which a rehearsal replaces everything that changes something. */
  readonly service: ServiceContext;
  readonly capabilities: Capabilities;
  /** The real host's runner. */
  readonly runner: Runner;
  /** The file of a simulated host, which is copied as it is; undefined for a real one, which is asked. */
  readonly stateFile: string | undefined;
  readonly folders: ServerFolders;
  readonly authorizedKeysFolder: string;
  /** Returns the logins that would end under another directory. */
  readonly endedBy: (directory: Directory) => readonly EndedLogin[];
  /** Makes the store of the host keys in a folder. */
  readonly hostKeys: (folder: string) => HostKeyStore;
  /** Where rehearsals are held. It is removed after each. */
  readonly stage: string;
}

/** The parts of a context that act on a host. */
type HostTools = Pick<
  HostContext,
  | 'incus'
  | 'mirror'
  | 'streams'
  | 'zfs'
  | 'accounts'
  | 'keyscan'
  | 'sshPort'
  | 'jumpKeys'
  | 'oomLog'
  | 'steps'
  | 'repository'
  | 'backupAges'
>;

/** Rehearses one call. Rejects with the failure of the call itself if that would fail, or with `cancelled`. */
export async function rehearse(options: RehearsalOptions, planned: PlannedCall, signal: AbortSignal): Promise<Plan> {
  const { service, stage } = options;
  if (signal.aborted) throw new Failure('cancelled', { what: 'the plan', why: 'it was cancelled' });
  refuseHeld(service, planned.target);
  await rm(stage, { recursive: true, force: true });
  try {
    await mkdir(stage, { recursive: true, mode: 0o700 });
    return await new Rehearsal(options, signal).run(planned);
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

/** Throws `busy` if an operation holds the target: the host is then about to be another. */
function refuseHeld({ operations }: ServiceContext, target: string | undefined): void {
  const holder = target === undefined ? undefined : operations.holder(target);
  if (target !== undefined && holder !== undefined) throw busy(target, holder);
}

class Rehearsal {
  readonly #options: RehearsalOptions;
  readonly #signal: AbortSignal;
  readonly #notes = new PlanNotes();
  readonly #stateFile: string;
  readonly #backups: RehearsedBackups;

  constructor(options: RehearsalOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#stateFile = join(options.stage, 'host.json');
    const { repository, now } = options.service;
    this.#backups = new RehearsedBackups({
      real: repository,
      say: (text) => this.#notes.texts.push(text),
      signal,
      now,
    });
  }

  async run({ verb, target, input, call }: PlannedCall): Promise<Plan> {
    const { service, capabilities, folders, stage, runner, stateFile } = this.#options;
    await this.#copyHost(target);
    const files = await StateCopy.make(stage, folders);
    const state = await StateFiles.open(files.folders.state, {
      certificatesFolder: files.folders.certificates,
      maxPenaltyMs: service.settings.ssh.penalties.maxMs,
      log: service.log,
    });
    const simulated = SimulatedHost.open(this.#stateFile);
    const real = stateFile === undefined ? runner : undefined;
    const tools = this.#tools(simulated, real, (command) => this.#notes.command(command));
    const kinds = Object.values(tools.steps);
    const rehearsed = new RehearsedOperations({ kinds, notes: this.#notes, stateFile: this.#stateFile, folder: stage });
    this.#adopt(rehearsed);
    const host: HostContext = {
      ...service,
      ...tools,
      // Whatever this host waits for is there at once, or never.
      settings: { ...service.settings, timeouts: { ...service.settings.timeouts, readyMs: 0 } },
      // A rehearsal ends no connection.
      connectionsEnded: () => undefined,
      operations: rehearsed.operations,
      log: service.log.child({ rehearsal: verb }),
    };
    const context: ServiceContext = {
      ...service,
      ...host,
      admins: state.admins,
      cas: state.cas,
      certificates: state.certificates,
      invitations: state.invitations,
      bans: state.bans,
      hostKeys: this.#options.hostKeys(files.folders.keys),
      firewall: this.#firewall(host, simulated.runner),
      logins: this.#logins(service.logins),
      room: new Room(),
      alerts: this.#alerts(service.alerts, state.alerts),
      keeping: rehearsedKeeping(service.keeping),
      schedule: rehearsedSchedule(service.schedule, () => context),
    };
    await (capabilities[verb] as Capability)(context, input, this.#call(call));
    await state.settled();
    await this.#noteEndedLogins(context, call.actor);
    return this.#plan(verb, target, await files.changed(), rehearsed);
  }

  /** Returns alerts that nobody is told of. */
  #alerts(real: Alerts, store: AlertStore): Alerts {
    const { now, log } = this.#options.service;
    const delivery = new Delivery({ channels: [], store, now, log });
    const silent = { append: () => Promise.resolve(), announce: () => undefined };
    return new Alerts({ store, delivery, ...silent, host: real.host, now });
  }

  /** Writes the state of the simulated host: that of the present one, or a copy of a real one. */
  async #copyHost(target: string | undefined): Promise<void> {
    const { service, stateFile } = this.#options;
    if (stateFile === undefined) {
      const { incus, accounts, jumpKeys, settings, now } = service;
      const copied = { incus, accounts, jumpKeys, jumpGroup: settings.jump.group };
      const state = await copyHost(copied, target, now().getTime(), this.#signal);
      writeFileSync(this.#stateFile, JSON.stringify(state), { mode: 0o600 });
      return;
    }
    // A host that nothing has changed yet has no file.
    await copyFile(stateFile, this.#stateFile).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    });
  }

  /** Returns a host that notes its changes, and those in the places of backups. */
  #tools(
    simulated: Pick<SimulatedHost, 'runner' | 'programStreams' | 'jumpKeys' | 'streams'>,
    real: Runner | undefined,
    note: (command: PlannedCommand) => void,
  ): HostTools {
    const { authorizedKeysFolder, service } = this.#options;
    const { settings, streams: disk } = service;
    const signal = this.#signal;
    const recording = recordingHost({ simulated, real, disk, authorizedKeysFolder, note, signal });
    const { runner, jumpKeys, streams } = recording;
    const zfs = new Zfs(runner, recording.programStreams, snapshotReader);
    const incus = new Incus({ runner, reads: new ClientReads(runner) }, settings.timeouts);
    const accounts = new Accounts(runner);
    const repository = (): Promise<Repository> => this.#backups.open(note);
    const steps = makeSteps({ incus, accounts, jumpKeys, zfs, jumpGroup: settings.jump.group, repository });
    const asked = { keyscan: new KeyScan(runner), sshPort: undefined, oomLog: new OomLog(runner) };
    // Lists must not show a backup that only a rehearsal has made.
    const backupAges = new BackupAges(repository, service.now);
    const mirror = new InstanceMirror({ incus, source: streams });
    return { incus, mirror, streams, zfs, accounts, jumpKeys, steps, repository, backupAges, ...asked };
  }

  /**
   * Holds what real operations hold, so that a verb that looks at all containers leaves these out, and takes over those
   * that wait to be ended, which such a verb ends.
   */
  #adopt(rehearsed: RehearsedOperations): void {
    const { operations: real } = this.#options.service;
    const unfinished = real.unfinished();
    rehearsed.adopt(unfinished);
    for (const operation of real.open()) {
      const { verb, target, actor } = operation;
      if (!unfinished.includes(operation))
        void rehearsed.operations.run({ verb, target, actor, input: {} }, forever, forever);
    }
  }

  #firewall(host: HostContext, runner: Runner): Firewall {
    const programs = { nftables: new Nftables(runner), bridgeLink: new BridgeLink(runner) };
    return new Firewall(host, programs, join(this.#options.stage, 'firewall.nft'));
  }

  /** Returns the real logins, of which none ends. */
  #logins(real: OpenLogins): OpenLogins {
    return {
      list: () => real.list(),
      means: (login) => real.means(login),
      end: (login) => {
        const found = real.list().find((one) => one.login === login);
        if (found !== undefined) this.#notes.texts.push(`The login ${login} of ${whose(found)} ends`);
      },
    };
  }

  /** Notes whose logins end because they may no longer come in. Owners learn that of their own name alone. */
  async #noteEndedLogins(context: ServiceContext, { name, entryPoint }: Actor): Promise<void> {
    const ended = this.#options.endedBy(makeDirectory(context, await collectOwners(context)));
    const shown = entryPoint === 'self' ? ended.filter((one) => one.entryPoint === 'self' && one.name === name) : ended;
    for (const [who, logins] of Map.groupBy(shown, whose))
      this.#notes.texts.push(`${plural(logins.length, 'login')} of ${who} ${logins.length === 1 ? 'ends' : 'end'}`);
  }

  #call(call: Call): Call {
    return {
      ...call,
      isPlan: true,
      signal: this.#signal,
      terminal: undefined,
      progress: {
        step: (event) => this.#notes.stage(event),
        note: (text) => void this.#notes.texts.push(text),
        output: () => undefined,
      },
    };
  }

  async #plan(
    verb: string,
    target: string | undefined,
    files: readonly string[],
    rehearsed: RehearsedOperations,
  ): Promise<Plan> {
    const undo = await rehearsed.undone((stateFile) => {
      let commands: PlannedCommand[] = [];
      const { steps } = this.#tools(SimulatedHost.open(stateFile), undefined, (command) => commands.push(command));
      const taken = (): PlannedCommand[] => {
        const found = commands;
        commands = [];
        return found;
      };
      return { kinds: Object.values(steps), taken };
    });
    const { steps, texts } = this.#notes;
    return {
      verb,
      target: target ?? null,
      steps: steps.map(({ title, kind, at, commands }) => ({
        title,
        step: kind,
        commands,
        undo: at === undefined ? [] : (undo.get(at.operation)?.[at.index] ?? null),
      })),
      files,
      notes: texts,
    };
  }
}

type Capability = (context: ServiceContext, input: unknown, call: Call) => Promise<unknown>;

const forever = (): Promise<never> => new Promise(() => undefined);

function whose({ name, entryPoint }: Pick<Actor, 'name' | 'entryPoint'>): string {
  return `${name} at ${entryPoint}@`;
}
