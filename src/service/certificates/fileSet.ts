/**
 * Files that are replaced together. They are written beside the old ones and named in a mark. From the mark on the
 * change counts, and {@link FileSet.recover} finishes it. So no cut leaves a certificate with the key of another.
 */
import { chmod, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';

/** Names the files of a change that counts, one on each line. */
const mark = 'replacing';
const suffix = '.next';

export class FileSet {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Finishes a change that was cut off, or forgets one that does not count yet. */
  async recover(): Promise<void> {
    const names = await readdir(this.folder).catch((error: unknown) => {
      if (isMissing(error)) return [] as string[];
      throw error;
    });
    if (names.includes(mark)) await this.#finish();
    else for (const name of names.filter((each) => each.endsWith(suffix))) await rm(join(this.folder, name));
  }

  /** Returns the text of a file; undefined if it does not exist. */
  async read(name: string): Promise<string | undefined> {
    try {
      return await readFile(join(this.folder, name), 'utf8');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Replaces files, all or none. Those that end in `.key` are readable by their owner alone, as is the folder then. */
  async replace(files: Readonly<Record<string, string>>): Promise<void> {
    const names = Object.keys(files);
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    if (names.some(isKey)) await chmod(this.folder, 0o700);
    for (const [name, text] of Object.entries(files))
      await writeFileAtomic(join(this.folder, `${name}${suffix}`), text, { mode: isKey(name) ? 0o600 : 0o644 });
    await writeFileAtomic(join(this.folder, mark), `${names.join('\n')}\n`);
    await this.#finish();
  }

  async #finish(): Promise<void> {
    const names = ((await this.read(mark)) ?? '').split('\n').filter((name) => name !== '');
    for (const name of names)
      await rename(join(this.folder, `${name}${suffix}`), join(this.folder, name)).catch((error: unknown) => {
        // It was renamed before the cut.
        if (!isMissing(error)) throw error;
      });
    await rm(join(this.folder, mark));
  }
}

function isKey(name: string): boolean {
  return name.endsWith('.key');
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
