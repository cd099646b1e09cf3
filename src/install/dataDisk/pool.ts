/** Makes or imports the ZFS pool of a data disk, and mounts what it holds. */
import { readdir } from 'node:fs/promises';
import { exists } from '../../prepare/files.ts';
import { Failure } from '../../domain/failure.ts';
import { quoted } from '../../domain/text.ts';
import { run, succeeds } from '../../prepare/programs.ts';
import type { Say } from '../step/step.ts';
import { ensureHostId } from './hostId.ts';
import { mountedDatasets, poolName } from './names.ts';

/** An import may first watch for ten seconds and more whether another machine writes to the pool (zpool-import(8)). */
const importMs = 10 * 60_000;

/**
 * Properties of the pool. `multihost` makes every machine write its mark to the pool once a second, so that no second
 * machine can import it while the first one runs (zpoolprops(7)). It needs a host id, see {@link ensureHostId}.
 */
const poolOptions = ['-o', 'ashift=12', '-o', 'autotrim=on', '-o', 'multihost=on'];
const rootOptions = [
  '-O',
  'compression=lz4',
  '-O',
  'atime=off',
  '-O',
  'xattr=sa',
  '-O',
  'acltype=posixacl',
  '-m',
  'none',
];

export function isPoolImported(): Promise<boolean> {
  return succeeds('zpool', ['list', '-H', '-o', 'name', poolName]);
}

/** Returns the devices of the imported pool, as real paths. */
export async function poolDevices(): Promise<string[]> {
  const { stdout } = await run('zpool', ['list', '-v', '-H', '-L', '-P', poolName]);
  return [...stdout.matchAll(/^\t?(\/dev\/\S+)/gm)].map(([, path]) => path ?? '');
}

export async function createPool(device: string, say: Say): Promise<void> {
  await ensureHostId(say);
  say(`Creating the ZFS pool "${poolName}" on ${device}`);
  await run('zpool', ['create', ...poolOptions, ...rootOptions, poolName, device], { timeoutMs: importMs });
}

/**
 * Imports the pool of a disk that another machine had. Rejects with `busy` if that machine still uses it: before ZFS
 * takes over a pool with `multihost`, it watches whether anyone writes to it.
 */
export async function importPool(member: string, say: Say): Promise<void> {
  await ensureHostId(say);
  say(`Importing the ZFS pool "${poolName}" of ${member}`);
  const args = ['-N', '-d', member, poolName];
  const attempt = (...force: readonly string[]): Promise<unknown> =>
    run('zpool', ['import', ...force, ...args], { timeoutMs: importMs }).catch((failure: unknown) => {
      throw whyNotImported(outputOf(failure)) === 'in use' ? inUse(member, failure) : failure;
    });
  try {
    await attempt();
  } catch (error) {
    // A machine that crashed, or whose boot disk was replaced, has not exported the pool.
    if (whyNotImported(outputOf(error)) !== 'not exported') throw error;
    await attempt('-f');
  }
}

/**
 * Returns what zpool's message says of another machine (zfs 2.1, observed): it has the pool imported at this moment, or
 * it had it and did not export it. Undefined for any other message.
 */
export function whyNotImported(message: string): 'in use' | 'not exported' | undefined {
  if (/pool is imported on\b/i.test(message)) return 'in use';
  return /previously in use from another system|last accessed by/i.test(message) ? 'not exported' : undefined;
}

function outputOf(error: unknown): string {
  const { why, details } = Failure.from(error);
  const output = details?.['output'];
  return typeof output === 'string' ? output : why;
}

function inUse(member: string, cause: unknown): Failure {
  return new Failure(
    'busy',
    {
      what: `data disk ${quoted(member)}`,
      why: 'another machine uses it at this moment',
      next: 'stop that machine, or detach the disk from it, and try again',
    },
    cause,
  );
}

/**
 * Makes the datasets that are missing and mounts all. Rejects with `wrong-state` if a folder that would disappear below
 * a mount has something in it.
 */
export async function mountDatasets(say: Say): Promise<void> {
  for (const { dataset, path, isNew } of await unmountedDatasets()) {
    await requireFree(path);
    say(`Mounting ${dataset} at ${path}`);
    const resume = await pauseIncus();
    try {
      if (isNew) await run('zfs', ['create', '-o', `mountpoint=${path}`, dataset]);
      else await run('zfs', ['mount', dataset]);
    } finally {
      await resume();
    }
  }
}

/** Returns the datasets that are not mounted; `isNew` if the pool does not have them yet. */
export async function unmountedDatasets(): Promise<{ dataset: string; path: string; isNew: boolean }[]> {
  const found = await Promise.all(
    mountedDatasets.map(async ({ dataset, path }) => {
      const isNew = !(await succeeds('zfs', ['list', '-H', '-o', 'name', dataset]));
      return !isNew && (await isMounted(dataset)) ? [] : [{ dataset, path, isNew }];
    }),
  );
  return found.flat();
}

async function isMounted(dataset: string): Promise<boolean> {
  const { stdout } = await run('zfs', ['get', '-H', '-o', 'value', 'mounted', dataset]);
  return stdout.trim() === 'yes';
}

/**
 * Stops an Incus that waits for its first call, whose sockets would disappear below the mount. Returns a function that
 * starts it again.
 */
async function pauseIncus(): Promise<() => Promise<void>> {
  const units = ['incus.socket', 'incus-user.socket', 'incus.service', 'incus-user.service'];
  const active: string[] = [];
  for (const unit of units) if (await succeeds('systemctl', ['is-active', '--quiet', unit])) active.push(unit);
  if (active.length > 0) await run('systemctl', ['stop', ...active]);
  return async () => {
    const sockets = active.filter((unit) => unit.endsWith('.socket'));
    if (sockets.length > 0) await run('systemctl', ['start', ...sockets]);
  };
}

/** Throws `wrong-state` if this machine has state of its own where the data disk would be mounted. */
export async function requireFreeMountPoints(): Promise<void> {
  for (const { path } of mountedDatasets) await requireFree(path);
}

/** The sockets of an Incus that was never used do not count. */
async function requireFree(path: string): Promise<void> {
  if (!(await exists(path))) return;
  const files = (await readdir(path, { withFileTypes: true })).filter((entry) => !entry.isSocket());
  if (files.length > 0)
    throw new Failure('wrong-state', {
      what: `folder ${path}`,
      why: 'it has files already, which the data disk would hide',
      next: `a data disk is for a new machine; if nothing in the folder is needed, move it away: mv ${path} ${path}.before`,
    });
}
