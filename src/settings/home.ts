/**
 * Where the server keeps every file it writes or reads.
 *
 * `CONTAINARIUM_HOME` decides. Without it: root works on the real host in /var/lib/containarium, so that state does not
 * live in somebody's checkout; everybody else in the checkout itself.
 */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from '../domain/failure.ts';

/** The folder that holds package.json. */
export const packageRoot = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

export const systemHome = '/var/lib/containarium';

export interface Home {
  readonly root: string;
  /** Host key and generated admin keys: 0700. */
  readonly keys: string;
  /** Journal, admins, socket, simulated host: 0700. */
  readonly state: string;
  readonly journal: string;
  readonly socket: string;
  readonly configuration: string;
  /** Default for the jump accounts' keys: readable by sshd as those accounts. */
  readonly authorizedKeys: string;
}

export function homeAt(root: string): Home {
  const state = join(root, 'state');
  return {
    root,
    keys: join(root, 'keys'),
    state,
    journal: join(state, 'journal'),
    socket: join(state, 'core.sock'),
    configuration: join(root, 'containarium.yaml'),
    authorizedKeys: join(root, 'authorized_keys'),
  };
}

/**
 * The home from the environment, or the default for this user. `realHost` is whether the real host is wanted or in use.
 */
export function findHome(env: NodeJS.ProcessEnv, options: { isRoot: boolean; realHost: boolean }): Home {
  const named = env['CONTAINARIUM_HOME'];
  if (named !== undefined && named !== '') return homeAt(resolve(named));
  const system = homeAt(systemHome);
  if (options.isRoot && (options.realHost || existsSync(system.state))) return system;
  return homeAt(packageRoot);
}

/**
 * Makes the folder, and those above it that are missing, one by one: where a folder cannot be made because the file
 * system has none (/proc), Node's own recursive mkdir does not come back.
 */
async function makeRoot(root: string): Promise<void> {
  const missing: string[] = [];
  for (let path = root; !existsSync(path); path = dirname(path)) missing.unshift(path);
  for (const path of missing) await mkdir(path, { mode: 0o711 });
}

export async function makeHome(home: Home): Promise<void> {
  try {
    await makeRoot(home.root);
    for (const folder of [home.keys, home.state]) await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Failure(
      'settings',
      {
        what: `the home ${home.root}`,
        why: error instanceof Error ? error.message : String(error),
        next: 'set CONTAINARIUM_HOME to a folder that this user may write to',
      },
      error,
    );
  }
}
