/**
 * Incus: arguments in, typed documents out.
 *
 * Reads ask the REST API, changes run the commands of Incus's own client. Sources: the manual pages of `incus` 6.0 and
 * its REST API description. A failed read rejects; it never returns an empty result.
 */
import pRetry from 'p-retry';
import * as z from 'zod';
import { Failure } from '../../domain/failure.ts';
import { quoted } from '../../domain/text.ts';
import { defaultIncusLimits, IncusClient, type IncusAccess, type IncusLimits } from './client.ts';
import { ConsoleLogs } from './consoleLog.ts';
import * as documents from './documents.ts';
import type {
  IncusImage,
  IncusInstance,
  IncusInstanceState,
  IncusNetwork,
  IncusOperation,
  IncusPool,
  IncusServer,
} from './documents.ts';
import { ownIds, type FuseConnections, type IdRange } from './fuse.ts';
import { IdChoice } from './idChoice.ts';
import { listWithState, oneWithState, withoutState } from './instanceList.ts';
import { memoryInUse, type MemoryInUse } from './memoryMetrics.ts';
import { IncusBackups } from './backups.ts';
import { IncusSnapshots } from './snapshots.ts';
import { addTemplate, type InstanceTemplate } from './templates.ts';
import { failedWith, isTooMuch, type Output } from '../runner.ts';

interface StartOptions {
  /**
   * Whether the instance gets other ids than its files have. Where the storage has no idmapped mounts (ZFS before 2.2),
   * Incus then changes the owner of every file, which takes as long as a copy.
   */
  readonly shiftsIds?: boolean;
}

/** The standard input of `incus create`. */
export interface InstanceSpec {
  readonly config: Readonly<Record<string, string>>;
  readonly devices: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface FilePush {
  readonly instance: string;
  /** Absolute path inside the instance. */
  readonly path: string;
  readonly content: string;
  /** For example `0644`. */
  readonly mode: string;
  readonly uid?: number;
  readonly gid?: number;
}

/** How long Incus caches its metrics, in milliseconds (incus 6.0, api_metrics.go). */
export const metricsAgeMs = 8000;

/**
 * Matches an error of Incus 6.0 that means that the program was not started: Incus sometimes cannot attach to an
 * instance while its file server for that instance ends (seen right after `file push`).
 */
const neverStarted = /Failed to retrieve PID of executing child process/;

/**
 * Matches an error of Incus 6.0 that means that the process which monitors a container has ended, while Incus still
 * takes the container for running (seen after a start that failed).
 */
const monitorGone = /connection (?:refused|reset by peer)/i;

/** For what Incus refuses in a moment between two states: about ten seconds in all. */
const briefRetries = { retries: 6, minTimeout: 150 };

/**
 * Reports whether a start, stop or restart failed because the instance was in that state already, so that Incus changed
 * nothing (messages observed with incus 6.0).
 */
export function isAlready(state: 'running' | 'stopped', error: unknown): boolean {
  return failedWith(error, new RegExp(`is already ${state}`));
}

export class Incus {
  readonly #client: IncusClient;
  readonly #consoleLogs = new ConsoleLogs();
  readonly #idChoice = new IdChoice();
  readonly #fuse: FuseConnections | undefined;
  readonly snapshots: IncusSnapshots;
  readonly backups: IncusBackups;
  readonly limits: IncusLimits;

  /** `fuse` is undefined where the instances are not on this machine. */
  constructor(access: IncusAccess, limits: IncusLimits = defaultIncusLimits, fuse?: FuseConnections) {
    this.#client = new IncusClient(access, limits);
    this.snapshots = new IncusSnapshots(this.#client, limits, this.#idChoice);
    this.backups = new IncusBackups(this.#client, limits);
    this.limits = limits;
    this.#fuse = fuse;
  }

  /** Calls `listener` with the names of the instances after each change of this server, also a failed one. */
  onChange(listener: (names: readonly string[]) => void): void {
    this.#client.onChange(listener);
  }

  server(signal?: AbortSignal): Promise<IncusServer> {
    return this.#client.query('/1.0', documents.server, signal);
  }

  /**
   * Reports whether instances have the option `boot.autorestart`. Incus 6.0.0, as in Ubuntu 24.04, lacks it and refuses
   * instances with options that it does not know.
   */
  async hasAutorestart(signal?: AbortSignal): Promise<boolean> {
    return (await this.server(signal)).api_extensions.includes('instance_auto_restart');
  }

  /** Returns all instances of the project without their running state, which is cheap at any number. */
  instances(signal?: AbortSignal): Promise<IncusInstance[]> {
    return this.#client.query('/1.0/instances?recursion=1', z.array(documents.instance), signal);
  }

  /** Returns all instances with state (addresses; disk, memory and CPU use) and snapshots, in one query. */
  instancesWithState(signal?: AbortSignal): Promise<IncusInstance[]> {
    return listWithState((path, schema, maxBytes) => this.#client.query(path, schema, signal, maxBytes));
  }

  /** Returns one instance with state, or `undefined` if it does not exist. */
  instance(name: string, signal?: AbortSignal): Promise<IncusInstance | undefined> {
    return oneWithState((path, schema, maxBytes) => this.#client.query(path, schema, signal, maxBytes), name);
  }

  /** Like {@link instance}, but without state, for which Incus looks into the container and at its disk. */
  storedInstance(name: string, signal?: AbortSignal): Promise<IncusInstance | undefined> {
    return withoutState((path, schema) => this.#client.query(path, schema, signal), name);
  }

  state(name: string, signal?: AbortSignal): Promise<IncusInstanceState> {
    return this.#client.query(`/1.0/instances/${encodeURIComponent(name)}/state`, documents.instanceState, signal);
  }

  /**
   * Returns the memory in use by instance, without the page cache. Incus caches it for {@link metricsAgeMs}. Nothing is
   * known while the metrics are too long: they have lines for each network interface, and root in a container can make
   * thousands, which must not keep the others from being listed.
   */
  async memoryInUse(signal?: AbortSignal): Promise<MemoryInUse> {
    try {
      return memoryInUse(await this.#client.text('/1.0/metrics?project=default', signal));
    } catch (error) {
      if (isTooMuch(error)) return new Map();
      throw error;
    }
  }

  images(signal?: AbortSignal): Promise<IncusImage[]> {
    return this.#client.query('/1.0/images?recursion=1', z.array(documents.image), signal);
  }

  networks(signal?: AbortSignal): Promise<IncusNetwork[]> {
    return this.#client.query('/1.0/networks?recursion=1', z.array(documents.network), signal);
  }

  /** Returns the addresses in use on a network, static or by DHCP. */
  async leasedAddresses(networkName: string, signal?: AbortSignal): Promise<string[]> {
    const leases = await this.#client.query(
      `/1.0/networks/${encodeURIComponent(networkName)}/leases`,
      z.array(z.object({ address: z.string() })).nullable(),
      signal,
    );
    return (leases ?? []).map((lease) => lease.address);
  }

  async pools(signal?: AbortSignal): Promise<IncusPool[]> {
    // If it has none, Incus answers `null` (incus 6.0.4, seen).
    const found = await this.#client.query(
      '/1.0/storage-pools?recursion=1',
      z.array(documents.pool).nullable(),
      signal,
    );
    return found ?? [];
  }

  /** Returns the used and total bytes of a storage pool. */
  async poolSpace(name: string, signal?: AbortSignal): Promise<{ usedBytes: number; totalBytes: number }> {
    const { space } = await this.#client.query(
      `/1.0/storage-pools/${encodeURIComponent(name)}/resources`,
      documents.poolResources,
      signal,
    );
    return { usedBytes: space.used, totalBytes: space.total };
  }

  /** Returns Incus's own background operations that have not finished. */
  async runningOperations(signal?: AbortSignal): Promise<IncusOperation[]> {
    const byStatus = await this.#client.query(
      '/1.0/operations?recursion=1',
      z.record(z.string(), z.array(documents.operation)),
      signal,
    );
    return Object.values(byStatus)
      .flat()
      .filter((candidate) => !['Success', 'Failure', 'Cancelled'].includes(candidate.status));
  }

  /** Creates a stopped instance from a local image (fingerprint or alias) or a remote one; no profile is applied. */
  async create(name: string, imageRef: string, spec: InstanceSpec): Promise<void> {
    await this.#create(name, [imageRef, name], spec);
  }

  /** Creates a stopped container without files. */
  async createEmpty(name: string, spec: InstanceSpec): Promise<void> {
    await this.#create(name, ['--empty', name], spec);
  }

  async #create(name: string, words: readonly string[], spec: InstanceSpec): Promise<void> {
    const args = ['create', ...words, '--no-profiles', '--quiet'];
    const options = { input: JSON.stringify(spec), timeoutMs: this.limits.copyMs };
    await this.#client.changing([name], () => this.#idChoice.run(spec, () => this.#client.run(args, options)));
  }

  /** Starts an instance. Rejects with an {@link isAlready} failure if it runs. */
  async start(name: string, options: StartOptions = {}): Promise<void> {
    await this.#client.change(name, ['start', name, '--quiet'], { timeoutMs: this.#startMs(options) });
  }

  #startMs({ shiftsIds = false }: StartOptions): number {
    return shiftsIds ? this.limits.copyMs : this.limits.changeMs;
  }

  /**
   * Stops an instance. `force` kills it; otherwise it has `shutdownMs` for a clean shutdown. Rejects with an
   * {@link isAlready} failure if it is stopped.
   */
  async stop(name: string, options: { force?: boolean } = {}): Promise<void> {
    await this.#stopping(name, 'stop', { ...options, timeoutMs: this.limits.changeMs });
  }

  async restart(name: string, options: StartOptions & { force?: boolean } = {}): Promise<void> {
    await this.#stopping(name, 'restart', { ...options, timeoutMs: this.#startMs(options) });
  }

  async #stopping(
    name: string,
    command: 'stop' | 'restart',
    { force = false, timeoutMs }: { force?: boolean | undefined; timeoutMs: number },
  ): Promise<void> {
    const { shutdownMs } = this.limits;
    const args = force ? ['--force'] : ['--timeout', String(Math.ceil(shutdownMs / 1000))];
    const run = (): Promise<void> =>
      this.#client.change(name, [command, name, ...args, '--quiet'], {
        timeoutMs: force ? timeoutMs : timeoutMs + shutdownMs,
      });
    await (force ? this.#killing(name, run) : run());
  }

  /** Runs a change that kills the instance, so that no file system of its own can hold it. */
  #killing<T>(name: string, change: () => Promise<T>): Promise<T> {
    return this.#fuse === undefined ? change() : this.#fuse.abortDuring(() => this.#ownIds(name), change);
  }

  async #ownIds(name: string): Promise<IdRange | undefined> {
    const path = `/1.0/instances/${encodeURIComponent(name)}`;
    const { config, location } = await this.#client.query(path, documents.instance);
    // On another member of a cluster the same ids may be those of another container here.
    return location === 'none' ? ownIds(config) : undefined;
  }

  /** Renames a stopped instance. Its snapshots go with it. */
  async rename(name: string, to: string): Promise<void> {
    await this.#client.change(name, ['rename', name, to, '--quiet'], { timeoutMs: this.limits.changeMs }, [to]);
  }

  /** Deletes an instance, running or not. */
  async delete(name: string): Promise<void> {
    await this.#killing(name, () =>
      this.#client.change(name, ['delete', name, '--force', '--quiet'], { timeoutMs: this.limits.changeMs }),
    );
  }

  /**
   * Changes configuration keys and devices of an instance in one request, which Incus applies whole or not at all. A
   * device is replaced whole, so pass all its keys. An empty value unsets a configuration key.
   */
  async patch(name: string, change: Partial<InstanceSpec> & { readonly profiles?: readonly string[] }): Promise<void> {
    const path = `/1.0/instances/${encodeURIComponent(name)}`;
    await this.#idChoice.run(change, () =>
      this.#client.change(name, ['query', '--request', 'PATCH', '--data', JSON.stringify(change), path], {
        timeoutMs: this.limits.changeMs,
      }),
    );
  }

  /** Writes a file into an instance, running or stopped, and creates missing folders. */
  async pushFile(file: FilePush): Promise<void> {
    await this.#client.run(
      [
        'file',
        'push',
        '-',
        `${file.instance}${file.path}`,
        '--create-dirs',
        '--mode',
        file.mode,
        '--uid',
        String(file.uid ?? 0),
        '--gid',
        String(file.gid ?? 0),
        '--quiet',
      ],
      { input: file.content, timeoutMs: this.limits.changeMs },
    );
  }

  /** Adds a template to an instance, or replaces it, and leaves its others as they are. */
  addTemplate(instance: string, template: InstanceTemplate): Promise<void> {
    return addTemplate(this.#client, this.limits, instance, template);
  }

  /** Reads a file of an instance; `undefined` if it does not exist. */
  async pullFile(
    name: string,
    path: string,
    options: { maxBytes?: number; signal?: AbortSignal } = {},
  ): Promise<string | undefined> {
    try {
      const { stdout } = await this.#client.run(['file', 'pull', `${name}${path}`, '-'], {
        timeoutMs: this.limits.readMs,
        maxOutputBytes: options.maxBytes ?? 256 * 1024,
        signal: options.signal,
      });
      return stdout;
    } catch (error) {
      if (failedWith(error, /file does not exist|not found|no such file/i)) return undefined;
      throw error;
    }
  }

  /** Runs a program in a running instance as root. Rejects for exit codes other than `allowExit`. */
  exec(
    name: string,
    argv: readonly string[],
    options: {
      env?: Record<string, string>;
      timeoutMs?: number;
      allowExit?: readonly number[];
      /** What the container's root lets a program print counts up to here. */
      maxOutputBytes?: number;
      input?: string;
      signal?: AbortSignal;
    } = {},
  ): Promise<Output> {
    const env = Object.entries(options.env ?? {}).flatMap(([key, value]) => ['--env', `${key}=${value}`]);
    const run = (): Promise<Output> =>
      this.#client.run(['exec', name, '--force-noninteractive', ...env, '--', ...argv], {
        timeoutMs: options.timeoutMs ?? this.limits.changeMs,
        ...(options.allowExit === undefined ? {} : { allowExit: options.allowExit }),
        ...(options.input === undefined ? {} : { input: options.input }),
        ...(options.maxOutputBytes === undefined ? {} : { maxOutputBytes: options.maxOutputBytes }),
        signal: options.signal,
      });
    return pRetry(run, { ...briefRetries, shouldRetry: ({ error }) => failedWith(error, neverStarted) });
  }

  /**
   * Returns the console log of a container since its last start, at most the last 256 KiB, without colours; empty if it
   * was never started. The text comes from the container: sanitize it before it is shown. Rejects with `not-found`.
   *
   * Incus returns the output of a running container only once, so it is remembered here; output that another client has
   * read is missing. Each read of a running container causes an event, `instance-console-retrieved`.
   */
  consoleLog(name: string, signal?: AbortSignal): Promise<string> {
    const read = (): Promise<string> => this.#readConsoleLog(name, signal);
    return pRetry(read, { ...briefRetries, shouldRetry: ({ error }) => failedWith(error, monitorGone) });
  }

  async #readConsoleLog(name: string, signal: AbortSignal | undefined): Promise<string> {
    const found = await this.instance(name, signal);
    if (found === undefined)
      throw new Failure('not-found', { what: `instance ${quoted(name)}`, why: 'no such instance' });
    const { stdout } = await this.#client.run(['console', name, '--show-log'], {
      timeoutMs: this.limits.readMs,
      signal,
    });
    // The client adds a line end.
    const text = stdout.replace(/\n$/, '');
    const run = `${found.created_at} ${found.last_used_at}`;
    return found.status === 'Stopped'
      ? this.#consoleLogs.stopped(name, run, text)
      : this.#consoleLogs.running(name, run, text);
  }

  /**
   * Empties the console log of an instance. Incus 6.0 keeps the file when it deletes the instance, until it creates
   * another one of that name.
   */
  async clearConsoleLog(name: string): Promise<void> {
    this.#consoleLogs.forget(name);
    await this.#client.run(['query', '--request', 'DELETE', `/1.0/instances/${encodeURIComponent(name)}/console`], {
      timeoutMs: this.limits.readMs,
    });
  }

  /** Makes an image of a stopped instance. Incus deletes the image that had the alias before. */
  async publish(name: string, alias: string, properties: Readonly<Record<string, string>>): Promise<void> {
    await this.#client.run(
      // zstd is as small as gzip, and several times faster to write and to unpack.
      [
        'publish',
        name,
        '--alias',
        alias,
        '--reuse',
        '--compression',
        'zstd',
        '--quiet',
        ...Object.entries(properties).map(([key, value]) => `${key}=${value}`),
      ],
      { timeoutMs: this.limits.copyMs },
    );
  }

  async deleteImage(fingerprint: string): Promise<void> {
    await this.#client.run(['image', 'delete', fingerprint, '--quiet'], { timeoutMs: this.limits.changeMs });
  }
}
