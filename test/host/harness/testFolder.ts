/** A folder for one test, and the certainty that everything in it and around it goes with the test. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from '../../../src/domain/failure.ts';
import { markOf } from './processes.ts';
import { folderPrefix, incusEnv, ownerFile, parentFolder, remains, removeRemains } from './remains.ts';
import type { Owner } from './remains.ts';

export interface TestFolder {
  /** Owned by root all the way up and open to nobody else's writing, so that an sshd may read keys below it. */
  readonly dir: string;
  /** A name that no other test has: for a bridge, and for a group whose accounts are removed with the folder. */
  readonly id: string;
  /** Environment of an Incus in this folder. */
  readonly env: Readonly<Record<string, string>>;
  /** What is on this machine because of it, one line each. */
  remains(): Promise<string[]>;
  /**
   * Ends the processes that name the folder, unmounts what is mounted in it, removes the accounts and the folder. Safe
   * to repeat.
   */
  remove(): Promise<void>;
}

/**
 * Starts the process that cleans up when this one is gone; the returned function tells it that nothing is left to do.
 */
async function startGuardian(dir: string, id: string): Promise<() => void> {
  const script = fileURLToPath(new URL('guardian.ts', import.meta.url));
  const child = spawn(process.execPath, [script, dir, id], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  await once(child, 'spawn');
  child.unref();
  child.stdin.on('error', () => undefined);
  (child.stdin as unknown as { unref(): void }).unref();
  return () => void child.stdin.end('done\n');
}

/** `name` is for people who look at a machine during a test. */
export async function openTestFolder(name: string): Promise<TestFolder> {
  if (!/^[a-z0-9-]{1,20}$/.test(name))
    throw new Failure('usage', { what: `name "${name}"`, why: 'letters, digits and hyphens, at most 20' });
  // 15 characters is the longest name of a network interface (IFNAMSIZ); this has 11.
  const id = `cxt${randomBytes(4).toString('hex')}`;
  const dir = join(parentFolder, `${folderPrefix}${name}-${id.slice(3)}`);
  // Another run may sweep at this moment, and a folder without an owner is one that was left: the name comes last.
  const unnamed = await mkdtemp(join(parentFolder, '.containarium-new-'));
  await chmod(unnamed, 0o711);
  await writeFile(join(unnamed, ownerFile), JSON.stringify({ mark: await markOf(process.pid), id } satisfies Owner));
  await rename(unnamed, dir);
  const dismissGuardian = await startGuardian(dir, id);

  let removing: Promise<void> | undefined;
  return {
    dir,
    id,
    env: incusEnv(dir),
    remains: () => remains(dir, id),
    remove: () => (removing ??= removeRemains(dir, id).then(dismissGuardian)),
  };
}
