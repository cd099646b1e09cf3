/**
 * Subvolumes and their quota groups, from btrfs(8). Both listings need CAP_SYS_ADMIN. The unit of the installed service
 * lacks it, so there the program runs in a unit of its own, which may do nothing but read.
 */
import { failedWith, type Output, type Runner } from './runner.ts';

export interface Subvolume {
  readonly id: number;
  /** The subvolume that contains this one. */
  readonly parent: number;
  /** Chosen by the maker of the subvolume: do not trust it. */
  readonly path: string;
}

export interface SubvolumeTree {
  readonly subvolumes: readonly Subvolume[];
  /** Bytes that each subvolume refers to; undefined if quotas are off. */
  readonly bytes: ReadonlyMap<number, number> | undefined;
  /** Whether a name may have forged a line: btrfs prints line breaks in names as they are. */
  readonly doubtful: boolean;
}

/** Subvolumes within another one, which the limit of that one does not count. */
export interface NestedSubvolumes {
  readonly count: number;
  /** How many of them are layers of Docker's btrfs driver. */
  readonly docker: number;
  /** Null if quotas are off. */
  readonly bytes: number | null;
}

const timeoutMs = 20_000;

/** The unit of a listing: it sees the file system, can change nothing, and has no network. */
const unitOptions = [
  '--quiet',
  '--pipe',
  '--wait',
  '--collect',
  '--property=CapabilityBoundingSet=CAP_SYS_ADMIN CAP_DAC_READ_SEARCH',
  '--property=ProtectSystem=strict',
  '--property=PrivateNetwork=yes',
  '--property=NoNewPrivileges=yes',
  '--property=SystemCallFilter=~@mount @module @reboot @swap',
];

export class Btrfs {
  readonly #runner: Runner;

  constructor(runner: Runner) {
    this.#runner = runner;
  }

  async #run(args: readonly string[], signal?: AbortSignal): Promise<Output> {
    try {
      return await this.#runner.run({ program: 'btrfs', args, timeoutMs, signal });
    } catch (error) {
      if (!failedWith(error, /Operation not permitted/i)) throw error;
      return this.#runner.run({
        program: 'systemd-run',
        args: [...unitOptions, '--', 'btrfs', ...args],
        timeoutMs,
        signal,
      });
    }
  }

  /** Returns the id of the subvolume that a path lies in. */
  async idOf(path: string, signal?: AbortSignal): Promise<number> {
    const { stdout } = await this.#run(['inspect-internal', 'rootid', path], signal);
    return Number(stdout.trim());
  }

  /** Returns all subvolumes of the file system of `path`. */
  async tree(path: string, signal?: AbortSignal): Promise<SubvolumeTree> {
    const listed = parseSubvolumes((await this.#run(['subvolume', 'list', path], signal)).stdout);
    const groups = await this.#groups(path, signal);
    // Each subvolume has a group, so a line without one is part of a name.
    const real = listed.subvolumes.filter(({ id }) => groups === undefined || groups.bytes.has(id));
    return {
      subvolumes: real,
      bytes: groups?.bytes,
      doubtful: listed.doubtful || groups?.doubtful === true || real.length < listed.subvolumes.length,
    };
  }

  async #groups(path: string, signal?: AbortSignal): Promise<ReturnType<typeof parseGroups> | undefined> {
    try {
      return parseGroups((await this.#run(['qgroup', 'show', '--raw', path], signal)).stdout);
    } catch (error) {
      if (failedWith(error, /quotas? not enabled/i)) return undefined;
      throw error;
    }
  }
}

/** Parses `btrfs subvolume list`, which sorts by id. */
export function parseSubvolumes(text: string): Pick<SubvolumeTree, 'subvolumes' | 'doubtful'> {
  const subvolumes: Subvolume[] = [];
  let doubtful = false;
  let last = 0;
  if (text.trim() === '') return { subvolumes, doubtful };
  for (const line of text.replace(/\n$/, '').split('\n')) {
    const [, id, parent, path] = /^ID (\d+) gen \d+ top level (\d+) path (.*)$/.exec(line) ?? [];
    if (id === undefined || parent === undefined || path === undefined) {
      doubtful = true;
      continue;
    }
    if (Number(id) <= last) doubtful = true;
    last = Number(id);
    subvolumes.push({ id: Number(id), parent: Number(parent), path });
  }
  return { subvolumes, doubtful };
}

/** Parses `btrfs qgroup show --raw`: the group of each subvolume is 0/ID. Newer versions append the path. */
export function parseGroups(text: string): { readonly bytes: ReadonlyMap<number, number>; readonly doubtful: boolean } {
  const bytes = new Map<number, number>();
  let doubtful = false;
  for (const line of text.split('\n')) {
    const [, id, referenced] = /^0\/(\d+)\s+(\d+)\s+\d+(?:\s|$)/.exec(line) ?? [];
    if (id === undefined) continue;
    if (bytes.has(Number(id))) doubtful = true;
    else bytes.set(Number(id), Number(referenced));
  }
  return { bytes, doubtful };
}

const dockerLayer = /\/var\/lib\/docker\/btrfs\/subvolumes\/[^/]+$/;

/** Returns what lies within the subvolume `id`, at any depth. Snapshots that Incus makes lie elsewhere. */
export function nestedIn({ subvolumes, bytes }: SubvolumeTree, id: number): NestedSubvolumes {
  // A subvolume may have a smaller id than the one that it was moved into, so the order of the list says nothing.
  const byParent = Map.groupBy(subvolumes, ({ parent }) => parent);
  const found = new Map<number, Subvolume>();
  const parents = [id];
  for (let parent = parents.pop(); parent !== undefined; parent = parents.pop()) {
    for (const each of byParent.get(parent) ?? []) {
      if (each.id === id || found.has(each.id)) continue;
      found.set(each.id, each);
      parents.push(each.id);
    }
  }
  return {
    count: found.size,
    docker: [...found.values()].filter(({ path }) => dockerLayer.test(path)).length,
    bytes: bytes === undefined ? null : [...found.keys()].reduce((sum, each) => sum + (bytes.get(each) ?? 0), 0),
  };
}
