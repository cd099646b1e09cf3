/**
 * Datasets of ZFS, from zfs(8). Who may not administer the pool can only read properties. The unit of the installed
 * service may not, because it lacks CAP_SYS_ADMIN. So what sends, receives or changes runs in a transient unit. It is
 * named for its operation and can be stopped by that name: a unit outlives the client that started it.
 */
import type { Readable } from 'node:stream';
import { Failure } from '../../domain/failure.ts';
import { printable, quoted } from '../../domain/text.ts';
import type { ProgramOutput, ProgramStreams, StreamCommand } from '../programStreams.ts';
import type { Runner } from '../runner.ts';
import { lastScrub, type Scrubbed } from '../zpool.ts';

/** A bookmark, or a snapshot: its guid is that of the snapshot that it was made of. */
export interface ZfsMark {
  /** Without the name of the dataset. */
  readonly name: string;
  /** A number of 64 bits, in decimal digits. */
  readonly guid: string;
}

/** What is sent: a snapshot, or what changed until that snapshot since a bookmark of the same dataset. */
export interface ZfsSending {
  readonly dataset: string;
  readonly snapshot: string;
  readonly since?: string | undefined;
}

/** The operation that a program runs for, and how long it may take, in milliseconds. */
export interface ZfsWork {
  readonly operation: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

const readMs = 60_000;
const changeMs = 120_000;

/** systemd gets this much longer than the client, so that the client reports the time limit. */
const unitGraceMs = 30_000;

/** Exit code of the reader for a folder with which something is wrong. */
const troubleExit = 3;

/** Every unit: it sees the file system and changes nothing there, has no network, and ends when nobody reads it. */
const unitOptions = [
  '--quiet',
  '--pipe',
  '--wait',
  '--collect',
  '--property=ProtectSystem=strict',
  '--property=PrivateNetwork=yes',
  '--property=NoNewPrivileges=yes',
  '--property=TimeoutStopSec=20s',
];

const zfsUnit = ['--property=CapabilityBoundingSet=CAP_SYS_ADMIN'];

/** The unit that reads the files of a snapshot, which it mounts where no other program sees it. */
const readingUnit = [
  '--property=CapabilityBoundingSet=CAP_SYS_ADMIN CAP_DAC_READ_SEARCH CAP_SETPCAP',
  '--property=PrivateMounts=yes',
  '--property=PrivateTmp=yes',
];

export class Zfs {
  readonly #runner: Runner;
  readonly #streams: ProgramStreams;
  readonly #reader: readonly string[];

  /** `reader` is the command line of the program that reads a snapshot (src/repository/snapshotReader.ts). */
  constructor(runner: Runner, streams: ProgramStreams, reader: readonly string[]) {
    this.#runner = runner;
    this.#streams = streams;
    this.#reader = reader;
  }

  async #read(args: readonly string[], signal?: AbortSignal): Promise<string[][]> {
    const { stdout } = await this.#runner.run({ program: 'zfs', args, timeoutMs: readMs, signal });
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('\t'));
  }

  /**
   * Reports whether a dataset can be sent so that an instance can be made of it again. It must be a file system, and
   * not a volume with one in it (`zfs.block_mode`), and not encrypted by ZFS, which would then refuse to receive.
   */
  async canSend(dataset: string, signal?: AbortSignal): Promise<boolean> {
    const args = ['list', '-H', '-o', 'type,encryption', '-t', 'filesystem,volume', dataset];
    const [[type, encryption] = []] = await this.#read(args, signal);
    return type === 'filesystem' && encryption === 'off';
  }

  /** Returns the guid of a snapshot. */
  async guid(dataset: string, snapshot: string, signal?: AbortSignal): Promise<string> {
    const name = `${dataset}@${snapshot}`;
    const [[guid = ''] = []] = await this.#read(['list', '-H', '-p', '-o', 'guid', '-t', 'snapshot', name], signal);
    if (/^\d{1,20}$/.test(guid)) return guid;
    throw new Failure('unexpected-output', { what: `"zfs list" of ${quoted(name)}`, why: 'it names no guid' });
  }

  /** Returns the bookmarks of a dataset. */
  async bookmarks(dataset: string, signal?: AbortSignal): Promise<ZfsMark[]> {
    const args = ['list', '-H', '-p', '-o', 'name,guid', '-t', 'bookmark', '-d', '1', dataset];
    return (await this.#read(args, signal)).flatMap(([name = '', guid = '']) =>
      name.startsWith(`${dataset}#`) ? [{ name: name.slice(dataset.length + 1), guid }] : [],
    );
  }

  /** Returns how many bytes a send will have, about. */
  async sendBytes(sending: ZfsSending, signal?: AbortSignal): Promise<number> {
    const lines = await this.#read(['send', '-n', '-P', ...sendArgs(sending)], signal);
    const [, bytes = ''] = lines.find(([name]) => name === 'size') ?? [];
    if (/^\d{1,16}$/.test(bytes)) return Number(bytes);
    throw new Failure('unexpected-output', {
      what: `"zfs send" of ${quoted(sending.dataset)}`,
      why: 'it names no size',
    });
  }

  /** Makes a bookmark of a snapshot. */
  async bookmark(dataset: string, snapshot: string, bookmark: string, operation: string): Promise<void> {
    await this.#change('bookmark', [`${dataset}@${snapshot}`, `${dataset}#${bookmark}`], operation);
  }

  async deleteBookmark(dataset: string, bookmark: string, operation: string): Promise<void> {
    await this.#change('destroy', [`${dataset}#${bookmark}`], operation);
  }

  /** Deletes all snapshots of a dataset. */
  async deleteSnapshots(dataset: string, operation: string): Promise<void> {
    // A range from the first snapshot to the last one.
    await this.#change('destroy', [`${dataset}@%`], operation);
  }

  async #change(verb: 'bookmark' | 'destroy', names: readonly string[], operation: string): Promise<void> {
    const command = unitOf(verb, zfsUnit, ['zfs', verb, ...names], { operation, timeoutMs: changeMs });
    await this.#runner.run(command);
  }

  /** Sends a snapshot. */
  send(sending: ZfsSending, work: ZfsWork): ProgramOutput {
    return this.#streams.read(unitOf('send', zfsUnit, ['zfs', 'send', ...sendArgs(sending)], work));
  }

  /**
   * Receives a stream as a snapshot of a dataset, whose files become those of the snapshot. The dataset stays unmounted
   * and keeps its own properties.
   */
  async receive(dataset: string, snapshot: string, source: Readable, work: ZfsWork): Promise<void> {
    const args = ['receive', '-F', '-u', '-x', 'mountpoint', `${dataset}@${snapshot}`];
    await this.#streams.write(unitOf(`receive-${snapshot}`, zfsUnit, ['zfs', ...args], work), source);
  }

  /**
   * Lists the files of a container's snapshot with their checksums, as lines of `sha256sum`. {@link countOf} reads
   * standard error.
   */
  files(dataset: string, snapshot: string, work: ZfsWork): ProgramOutput {
    const argv = [...this.#reader, 'list', `${dataset}@${snapshot}`];
    return this.#streams.read(unitOf('list', readingUnit, argv, work));
  }

  /** Returns what is wrong with the folder of an instance in a snapshot, as a clause; undefined if nothing is. */
  async volumeTrouble(dataset: string, snapshot: string, operation: string): Promise<string | undefined> {
    const argv = [...this.#reader, 'check', `${dataset}@${snapshot}`];
    const command = unitOf('check', readingUnit, argv, { operation, timeoutMs: changeMs });
    const { exitCode, stderr } = await this.#runner.run({ ...command, allowExit: [0, troubleExit] });
    return exitCode === 0 ? undefined : printable(stderr.trim().slice(-200));
  }

  /** Returns what is known of the last scrub of a pool. */
  lastScrub(pool: string, signal?: AbortSignal): Promise<Scrubbed> {
    return lastScrub(this.#runner, pool, signal);
  }

  /** Begins a scrub of a pool, which goes on without the program that began it (zpool-scrub(8)). */
  async scrub(pool: string): Promise<void> {
    // Pools are scrubbed one after the other, so the unit has one name: no second one can begin beside it.
    const work = { operation: 'schedule', timeoutMs: changeMs };
    await this.#runner.run(unitOf('scrub', zfsUnit, ['zpool', 'scrub', pool], work));
  }

  /** Ends the programs of an operation that may still run although their clients have ended. */
  async stop(operation: string): Promise<void> {
    const args = ['stop', `${unitPrefix(operation)}*.service`];
    await this.#runner.run({ program: 'systemctl', args, timeoutMs: changeMs });
  }
}

/** Returns how many files a list has, and how many had no room in it. */
export function countOf({ stderr }: ProgramOutput): { readonly listed: number; readonly omitted: number } {
  const [, listed, omitted] = /^(\d{1,9}) listed, (\d{1,9}) omitted$/m.exec(stderr()) ?? [];
  if (listed === undefined || omitted === undefined)
    throw new Failure('unexpected-output', {
      what: 'the list of files of a snapshot',
      why: 'it does not say its length',
    });
  return { listed: Number(listed), omitted: Number(omitted) };
}

function sendArgs({ dataset, snapshot, since }: ZfsSending): string[] {
  return [...(since === undefined ? [] : ['-i', `${dataset}#${since}`]), `${dataset}@${snapshot}`];
}

/** The beginning of the names of an operation's units. */
function unitPrefix(operation: string): string {
  return `containarium-zfs-${operation.toLowerCase()}-`;
}

function unitOf(
  label: string,
  properties: readonly string[],
  argv: readonly string[],
  { operation, timeoutMs, signal }: ZfsWork,
): StreamCommand {
  const limit = `--property=RuntimeMaxSec=${Math.ceil((timeoutMs + unitGraceMs) / 1000)}s`;
  const unit = `--unit=${unitPrefix(operation)}${label}`;
  const args = [...unitOptions, ...properties, limit, unit, '--', ...argv];
  return { program: 'systemd-run', args, timeoutMs, signal };
}
