/** A folder for one test, which is removed with the test together with everything that belongs to it. */
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
  /** The folder. Root owns it and all its parents, and alone may write, so that an sshd may read keys below it. */
  readonly dir: string;
  /** A unique name for a bridge, and for a group whose accounts are removed with the folder. */
  readonly id: string;
  /** Environment of an Incus in this folder. */
  readonly env: Readonly<Record<string, string>>;
  /** Returns what the test has left on this machine, one line each. */
  remains(): Promise<string[]>;
  /**
   * Ends the processes that name the folder, unmounts everything in it, and removes the accounts and the folder. Safe
   * to repeat.
   */
  remove(): Promise<void>;
}

/** Starts the process that cleans up after this one. The returned function tells it that nothing is left to do. */
async function startGuardian(dir: string, id: string): Promise<() => void> {
  const script = fileURLToPath(new URL('guardian.ts', import.meta.url));
  const child = spawn(process.execPath, [script, dir, id], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  await once(child, 'spawn');
  child.unref();
  child.stdin.on('error', () => undefined);
  (child.stdin as unknown as { unref(): void }).unref();
  return () => void child.stdin.end('done\n');
}

/** Creates a folder. `name` helps to recognize it during a test. */
export async function openTestFolder(name: string): Promise<TestFolder> {
  if (!/^[a-z0-9-]{1,20}$/.test(name))
    throw new Failure('usage', { what: `name "${name}"`, why: 'letters, digits and hyphens, at most 20' });
  // A network interface's name has at most 15 characters (IFNAMSIZ); this one has 11.
  const id = `cxt${randomBytes(4).toString('hex')}`;
  const dir = join(parentFolder, `${folderPrefix}${name}-${id.slice(3)}`);
  // Another run may be cleaning up, and removes folders without an owner: so the folder gets its name last.
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
