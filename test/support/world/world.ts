/**
 * Core without its processes and its protocol: a simulated host, a journal, the operations and the dispatcher, composed
 * by `src/core/compose.ts` in one folder. The folder can be copied, and opened again as after a restart.
 */
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import type { HostConnections } from '../../../src/core/connections/hostConnections.ts';
import type { Dispatcher } from '../../../src/core/calls/dispatcher.ts';
import type { Actor } from '../../../src/domain/access/actor.ts';
import { Failure } from '../../../src/domain/failure.ts';
import type { AuditVerification } from '../../../src/domain/results/audit.ts';
import type { Reconciliation } from '../../../src/domain/results/upkeep.ts';
import { realFiles, type JournalFiles } from '../../../src/journal/files.ts';
import type { Operations } from '../../../src/journal/operations.ts';
import type { AdminStore } from '../../../src/service/access/adminStore.ts';
import { promisedAddresses } from '../../../src/service/instances/addresses.ts';
import type { ServiceContext } from '../../../src/service/context.ts';
import { compose, type Composition } from '../../../src/core/compose.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import { checkSettings, type Settings } from '../../../src/settings/settings.ts';
import type { FaultPlan } from '../../../src/simulated/faults/faults.ts';
import { sshdLogPath } from '../sshdLog.ts';
import { ClientReads } from '../../../src/host/incus/clientReads.ts';
import { SimulatedHost } from '../../../src/simulated/host.ts';
import { hostState, type HostState } from '../../../src/simulated/state/state.ts';
import type { LoggedCommand } from '../../../src/simulated/faults/commandLog.ts';

export interface WorldOptions {
  readonly faults?: FaultPlan;
  readonly paceMs?: number;
  /** The files of the journal. Default: {@link quickFiles}. */
  readonly files?: JournalFiles;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Makes plans as on a real host, of which a copy is made by queries. */
  readonly copiedByQueries?: boolean;
}

export type Outcome = { readonly ok: true; readonly result: any } | { readonly ok: false; readonly failure: Failure };

/** Real files without fdatasync, which protects only against power cuts. Writes survive the death of a process. */
export const quickFiles: JournalFiles = {
  ...realFiles,
  open: async (path, how) => ({ ...(await realFiles.open(path, how)), datasync: () => Promise.resolve() }),
  syncFolder: () => Promise.resolve(),
};

export const carol: Actor = {
  name: 'carol',
  role: 'admin',
  entryPoint: 'manage',
  fingerprint: 'SHA256:carol',
  address: '192.0.2.7',
};

export const statePath = (folder: string): string => join(folder, 'simulated-host.json');
const logPath = (folder: string): string => join(folder, 'simulated-commands.jsonl');
/** The folder of backups. */
export const backupsPath = (folder: string): string => join(folder, 'backups');
export const faultsPath = (folder: string): string => join(folder, 'simulated-faults.json');

/** Returns the state of the simulated host in a folder. */
export function hostStateOf(folder: string): HostState {
  return hostState.parse(JSON.parse(readFileSync(statePath(folder), 'utf8')));
}

/** Returns the commands that the simulated host in a folder ran. */
export function commandsOf(folder: string): LoggedCommand[] {
  if (!existsSync(logPath(folder))) return [];
  return readFileSync(logPath(folder), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LoggedCommand);
}

/** Copies a closed world without its command log. */
export async function copyWorld(from: string, to: string): Promise<string> {
  await cp(from, to, { recursive: true, filter: (path) => path !== logPath(from) });
  return to;
}

export class World {
  readonly folder: string;
  readonly context: ServiceContext;
  readonly operations: Operations;
  readonly journal: Journal;
  readonly admins: AdminStore;
  /** Follows the log of sshd once it is started. */
  readonly connections: HostConnections;
  readonly #dispatcher: Dispatcher;

  private constructor(folder: string, { service, operations, journal, dispatcher, connections }: Composition) {
    this.folder = folder;
    this.context = service;
    this.operations = operations;
    this.journal = journal;
    this.admins = service.admins;
    this.connections = connections;
    this.#dispatcher = dispatcher;
  }

  /**
   * Opens the world in `folder`, or a new one. Open operations are loaded, but finished only by {@link recover}.
   */
  static async open(folder: string, options: WorldOptions = {}): Promise<World> {
    await mkdir(folder, { recursive: true });
    await mkdir(backupsPath(folder), { recursive: true, mode: 0o700 });
    const settings: Settings = checkSettings(
      {
        timeouts: { readyMs: 1000 },
        jump: { hostKeys: [] },
        backups: { directory: backupsPath(folder) },
        ...options.settings,
      },
      'of the test',
    );
    const host = SimulatedHost.open(statePath(folder), {
      ...(options.faults === undefined ? {} : { faults: options.faults }),
      faultsPath: faultsPath(folder),
      logPath: logPath(folder),
      sshdLogPath: sshdLogPath(folder),
      paceMs: options.paceMs ?? 0,
      // A limit of a minute becomes a few microseconds. Work without its client lasts until undo has polled a few
      // times.
      timeScale: 1e-7,
      lateMs: 40,
    });
    const core = await compose({
      host: { kind: 'simulated', simulated: true, why: 'it is a test' },
      parts: {
        runner: host.runner,
        reads: new ClientReads(host.runner),
        programStreams: host.programStreams,
        streams: host.streams,
        jumpKeys: () => host.jumpKeys,
        sshdProcesses: { isServing: () => Promise.resolve(true) },
        ...(options.copiedByQueries === true ? {} : { stateFile: statePath(folder) }),
      },
      settings,
      firewallFile: join(folder, 'firewall.nft'),
      folders: {
        state: folder,
        journal: join(folder, 'journal'),
        archive: join(folder, 'archive'),
        keys: join(folder, 'keys'),
        certificates: join(folder, 'certs'),
      },
      authorizedKeysFolder: join(folder, 'authorized_keys'),
      version: '0',
      log: pino({ level: 'silent' }),
      port: () => 2222,
      front: { name: null, shared: false, unit: false },
      hostKeys: { current: '', next: undefined },
      journalFiles: options.files ?? quickFiles,
      lockRetry: { retries: 5, minTimeout: 1, maxTimeout: 5 },
      undoRetry: { retries: 2, minTimeout: 1, maxTimeout: 5, maxRetryTime: 30_000 },
    });
    return new World(folder, core);
  }

  /** Calls a verb as an admin. Never rejects. */
  call(verb: string, input: Readonly<Record<string, unknown>> = {}, actor: Actor = carol): Promise<Outcome> {
    return this.#call({ actor, verb, input });
  }

  /** Asks for the plan of a call. Never rejects. */
  plan(verb: string, input: Readonly<Record<string, unknown>> = {}, actor: Actor = carol): Promise<Outcome> {
    return this.#call({ actor, verb, input, plan: true });
  }

  /** Calls a verb that is cancelled when the signal is aborted. Never rejects. */
  callUntil(cancelled: AbortSignal, verb: string, input: Readonly<Record<string, unknown>> = {}): Promise<Outcome> {
    return this.#call({ actor: carol, verb, input, cancelled });
  }

  async #call(call: {
    readonly actor: Actor;
    readonly verb: string;
    readonly input: Readonly<Record<string, unknown>>;
    readonly plan?: boolean;
    readonly cancelled?: AbortSignal;
  }): Promise<Outcome> {
    try {
      const request = {
        ...call,
        reachedAt: '198.51.100.1',
        shell: undefined,
        terminal: undefined,
        signal: new AbortController().signal,
        emit: () => undefined,
      };
      return { ok: true, result: (await this.#dispatcher.call(request)).result };
    } catch (error) {
      return { ok: false, failure: Failure.from(error) };
    }
  }

  /** Calls a verb that must succeed and returns its result. */
  async must(verb: string, input: Readonly<Record<string, unknown>> = {}): Promise<any> {
    const outcome = await this.call(verb, input);
    if (!outcome.ok) throw outcome.failure;
    return outcome.result;
  }

  /** Recovers open operations, as core does at its start and from time to time. */
  async recover(): Promise<void> {
    await this.operations.recover();
  }

  /** Returns the violated invariants of a world without running calls, as sentences. */
  async faults(): Promise<string[]> {
    const found: string[] = [];
    for (const { verb, target } of this.operations.open()) found.push(`operation "${verb} ${target}" is open`);
    for (const address of promisedAddresses(this.context.incus)) found.push(`address ${address} is still promised`);
    const { differences } = (await this.must('reconcile')) as Reconciliation;
    for (const { kind, target, detail } of differences) found.push(`reconcile finds ${kind} of ${target}: ${detail}`);
    const verified = (await this.must('audit verify')) as AuditVerification;
    if (!verified.ok) found.push(`the journal is damaged: ${verified.firstBad.reason}`);
    const left = hostStateOf(this.folder).underway;
    if (left.length > 0) found.push(`Incus still works on ${left.map(({ description }) => description).join(', ')}`);
    return found;
  }

  async close(): Promise<void> {
    await this.connections.stop();
    await this.journal.close();
  }
}
