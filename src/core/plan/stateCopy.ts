/** A copy of the server's own files, in which a rehearsal works, and which of them it has changed. */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

export interface ServerFolders {
  readonly state: string;
  readonly keys: string;
  readonly certificates: string;
}

const folderNames = ['state', 'keys', 'certificates'] as const;

export class StateCopy {
  readonly folders: ServerFolders;
  readonly #from: ServerFolders;
  /** By the path of the copy. */
  readonly #before: ReadonlyMap<string, string>;

  private constructor(folders: ServerFolders, from: ServerFolders, before: ReadonlyMap<string, string>) {
    this.folders = folders;
    this.#from = from;
    this.#before = before;
  }

  /** Copies the files to folders in `root`: the JSON files of the state folder, host keys, and certificates. */
  static async make(root: string, from: ServerFolders): Promise<StateCopy> {
    const folders = { state: join(root, 'state'), keys: join(root, 'keys'), certificates: join(root, 'certificates') };
    for (const which of folderNames) {
      await mkdir(folders[which], { recursive: true, mode: 0o700 });
      const files = await filesIn(from[which]);
      for (const file of which === 'state' ? files.filter(isOwnState) : files)
        await copyFile(join(from[which], file), join(folders[which], file)).catch(unlessMissing);
    }
    return new StateCopy(folders, from, await hashes(folders));
  }

  /** Returns the files whose copies have changed, come or gone, by the paths of the originals. */
  async changed(): Promise<string[]> {
    const after = await hashes(this.folders);
    const paths = new Set([...this.#before.keys(), ...after.keys()]);
    const changed = [...paths].filter((path) => this.#before.get(path) !== after.get(path));
    return changed.map((path) => this.#original(path)).sort();
  }

  #original(copy: string): string {
    const which = folderNames.find((name) => dirname(copy) === this.folders[name]) ?? 'state';
    return join(this.#from[which], basename(copy));
  }
}

/** Reports whether a file of the state folder is small state of this server, and not that of its simulated host. */
function isOwnState(file: string): boolean {
  return file.endsWith('.json') && !file.startsWith('simulated-');
}

/** Returns the names of the files in a folder; none if there is no such folder. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = (await readdir(folder, { withFileTypes: true }).catch(unlessMissing)) ?? [];
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

/** Ignores that a file does not exist: the server may have replaced it meanwhile. */
function unlessMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}

/** Returns the hashes of all files in the folders, by path. */
async function hashes(folders: ServerFolders): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const which of folderNames)
    for (const file of await filesIn(folders[which])) {
      const path = join(folders[which], file);
      found.set(
        path,
        createHash('sha256')
          .update(await readFile(path))
          .digest('hex'),
      );
    }
  return found;
}
