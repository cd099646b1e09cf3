/**
 * The home: the folder of every file that the server reads or writes.
 *
 * `CONTAINARIUM_HOME` sets it. Without it, the home is /var/lib/containarium for root on the real host, so that a jump
 * host's state does not live in a checkout, and otherwise the checkout itself.
 */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Failure } from '../domain/failure.ts';
import { fileTrouble } from '../domain/fileTrouble.ts';
import { packageRoot } from '../domain/packageRoot.ts';
import type { Settings } from './settings.ts';

/** Where the installed service has its program; the units name it. A symbolic link to the installed release. */
export const installedProgram = '/opt/containarium';

export interface Home {
  readonly root: string;
  /** Folder of the host key and generated admin keys, mode 0700. */
  readonly keys: string;
  /** Folder of the journal, admins, socket and simulated host, mode 0700. */
  readonly state: string;
  readonly journal: string;
  /** Default folder of what was moved out of the journal. */
  readonly archive: string;
  readonly socket: string;
  /** The stored choice between the real and the simulated host. */
  readonly hostChoice: string;
  readonly configuration: string;
  /** Default folder of the jump accounts' keys. sshd must be able to read it as those accounts. */
  readonly authorizedKeys: string;
  /** Default folder of the certificates of the remote interface, mode 0700. */
  readonly certificates: string;
  /** The rules of the firewall, which systemd loads before Incus starts (systemd/containarium-firewall.service). */
  readonly firewall: string;
  /** Folder with the keys of the admins whom the first start admits (NAME.pub), which the installer writes. */
  readonly firstAdmins: string;
}

export function homeAt(root: string): Home {
  const state = join(root, 'state');
  return {
    root,
    keys: join(root, 'keys'),
    state,
    journal: join(state, 'journal'),
    archive: join(state, 'archive'),
    socket: join(state, 'core.sock'),
    hostChoice: join(state, 'host.json'),
    configuration: join(root, 'containarium.yaml'),
    authorizedKeys: join(root, 'authorized_keys'),
    certificates: join(root, 'certs'),
    firewall: join(root, 'firewall.nft'),
    firstAdmins: join(root, 'first-admins'),
  };
}

/** Returns where the journal, its archive and the file of its anchors are. */
export function journalPlaces(
  { journal, archive }: Pick<Home, 'journal' | 'archive'>,
  { journal: { archiveFolder, anchor } }: Pick<Settings, 'journal'>,
): { readonly journal: string; readonly archive: string; readonly anchors: string | undefined } {
  return { journal, archive: archiveFolder ?? archive, anchors: anchor.file };
}

export interface DefaultHomes {
  readonly system: Home;
  readonly checkout: Home;
}

export const defaultHomes: DefaultHomes = { system: homeAt('/var/lib/containarium'), checkout: homeAt(packageRoot) };

/**
 * Returns the home from the environment, or the default for this user. `realHost` is true if the real host was
 * requested or is usable.
 */
export function findHome(
  env: NodeJS.ProcessEnv,
  options: { isRoot: boolean; realHost: boolean; defaults?: DefaultHomes },
): Home {
  const { isRoot, realHost, defaults: { system, checkout } = defaultHomes } = options;
  const fromEnv = env['CONTAINARIUM_HOME'];
  if (fromEnv !== undefined) return homeAt(resolve(fromEnv));
  return isRoot && (realHost || existsSync(system.state)) ? system : checkout;
}

/**
 * Makes the folder and its missing parents, one by one. Node's recursive mkdir never returns on a file system that
 * does not allow new folders (/proc).
 */
async function makeRoot(root: string): Promise<void> {
  const missing: string[] = [];
  for (let path = root; !existsSync(path); path = dirname(path)) missing.unshift(path);
  for (const path of missing) await mkdir(path, { mode: 0o711 });
}

export async function makeHome(home: Home): Promise<void> {
  try {
    await makeRoot(home.root);
    for (const folder of [home.keys, home.state]) if (!existsSync(folder)) await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    const { why, next, code } = fileTrouble(error) ?? {
      why: error instanceof Error ? error.message : String(error),
      next: undefined,
      code: 'settings',
    };
    const elsewhere = 'set CONTAINARIUM_HOME to a folder that this user can write to';
    throw new Failure(
      code,
      {
        what: `the home ${home.root}`,
        why,
        next: next === undefined ? elsewhere : `${next}, or ${elsewhere}`,
      },
      error,
    );
  }
}
