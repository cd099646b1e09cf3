/**
 * Has Incus take over the containers of a storage pool that it does not know: its database is lost, and each container
 * has its configuration in the pool.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../domain/failure.ts';
import { run, succeeds } from './programs.ts';
import { subnetOf } from './subnet.ts';

/** Finding and importing hundreds of containers takes minutes, in milliseconds. */
const recoverMs = 30 * 60_000;

/** Reports whether a dataset has containers of Incus below it. */
export async function hasContainers(dataset: string): Promise<boolean> {
  const parent = `${dataset}/containers`;
  if (!(await succeeds('zfs', ['list', '-H', '-o', 'name', parent]))) return false;
  const { stdout } = await run('zfs', ['list', '-H', '-o', 'name', '-d', '1', parent]);
  return stdout.trim().split('\n').length > 1;
}

/**
 * Returns the bridge's own address in the network of the containers, for example `10.0.3.1/20`, as the keys of the jump
 * accounts tell it: those are below a folder that outlives Incus's database. Undefined if they name no address, or none
 * of the networks that a bridge of this program gets.
 */
export async function formerBridgeAddress(authorizedKeysFolder: string): Promise<string | undefined> {
  const files = await readdir(authorizedKeysFolder).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
  const texts = await Promise.all(files.map((file) => readFile(join(authorizedKeysFolder, file), 'utf8')));
  return subnetOf(
    texts.flatMap((text) => [...text.matchAll(/permitopen="([\d.]+):22"/g)].map(([, address = '']) => address)),
  );
}

/** Returns what answers the questions of `incus admin recover` (Incus 6.0) for one ZFS pool. */
function recoverAnswers({ name, source }: { readonly name: string; readonly source: string }): string {
  // Recover a pool of this name, driver and source, without more properties; no other; scan it; recover what is found.
  return ['yes', name, 'zfs', source, '', 'no', 'yes', 'yes', ''].join('\n');
}

/** Recovers the pool. The bridge that the containers use must exist. */
export async function recoverPool(
  pool: { readonly name: string; readonly source: string },
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  try {
    await run('incus', ['admin', 'recover'], { input: recoverAnswers(pool), timeoutMs: recoverMs, env });
  } catch (error) {
    const { why } = Failure.from(error);
    throw new Failure(
      'program-failed',
      {
        what: `taking over the containers in ${pool.source}`,
        why,
        next: 'see "The database of Incus is lost" in docs/recovery.md, and run the installer again',
      },
      error,
    );
  }
}
