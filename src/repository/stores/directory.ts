/**
 * Backups in a folder of this host, or of a disk that is mounted there. A file gets its name when it is whole and on
 * disk, so that a name never stands for a part.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { access, constants, lstat, mkdir, open, readdir, rename, rm, rmdir, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Readable } from 'node:stream';
import { Failure } from '../../domain/failure.ts';
import { abandon, isKey, notStored, requireKey, type Store, type StoredObject } from './store.ts';

/** Ends the name of a file that is being written. No key has it, because keys are checked. */
const partSuffix = '.part~';

export class DirectoryStore implements Store {
  readonly name = 'directory';
  readonly place: string;

  constructor(folder: string) {
    this.place = folder;
  }

  async put(key: string, source: Readable, signal?: AbortSignal): Promise<void> {
    requireKey(key);
    const path = join(this.place, key);
    const part = `${path}${partSuffix}`;
    try {
      await this.requireWritable();
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await rm(part, { force: true });
      await pipeline(source, createWriteStream(part, { flags: 'wx', mode: 0o600, flush: true }), {
        ...(signal === undefined ? {} : { signal }),
      });
      await rename(part, path);
      await this.#syncAbove(key);
    } catch (error) {
      const failure = this.#failure(`storing "${key}"`, error);
      abandon(source, failure);
      // The file gave way to no other, so what is left of it is of this call.
      await rm(part, { force: true }).catch(() => undefined);
      throw failure;
    }
  }

  async get(key: string, signal?: AbortSignal): Promise<Readable> {
    requireKey(key);
    const path = join(this.place, key);
    try {
      if (!(await lstat(path)).isFile()) throw notStored(this.place, key);
    } catch (error) {
      throw isMissing(error) ? notStored(this.place, key) : this.#failure(`reading "${key}"`, error);
    }
    return createReadStream(path, { ...(signal === undefined ? {} : { signal }) });
  }

  async list(prefix: string, signal?: AbortSignal): Promise<StoredObject[]> {
    if (prefix !== '') requireKey(prefix);
    await this.#requireFolder();
    const found: StoredObject[] = [];
    const walk = async (folder: string): Promise<void> => {
      signal?.throwIfAborted();
      const entries = await readdir(join(this.place, folder), { withFileTypes: true }).catch((error: unknown) => {
        // It was deleted after its parent was read.
        if (isMissing(error)) return [];
        throw this.#failure(`listing "${folder}"`, error);
      });
      for (const entry of entries) {
        const key = `${folder}${entry.name}`;
        if (!isKey(key)) continue;
        if (entry.isDirectory()) await walk(`${key}/`);
        if (!entry.isFile()) continue;
        const { size, mtime } = await stat(join(this.place, key));
        found.push({ key, bytes: size, modifiedAt: mtime });
      }
    };
    await walk(prefix);
    return found;
  }

  async delete(key: string): Promise<void> {
    requireKey(key);
    try {
      await rm(join(this.place, key), { force: true });
      await this.#syncAbove(key).catch((error: unknown) => {
        if (!isMissing(error)) throw error;
      });
      await this.#removeEmpty(dirname(key));
    } catch (error) {
      throw this.#failure(`deleting "${key}"`, error);
    }
  }

  async clear(prefix: string): Promise<void> {
    requireKey(prefix);
    try {
      await this.#requireFolder();
      await rm(join(this.place, prefix), { recursive: true, force: true });
      await this.#removeEmpty(dirname(prefix));
    } catch (error) {
      throw this.#failure(`deleting "${prefix}"`, error);
    }
  }

  async sweep(before: Date): Promise<void> {
    await this.#requireFolder();
    const names = await readdir(this.place, { recursive: true });
    for (const name of names.filter((each) => each.endsWith(partSuffix))) {
      const path = join(this.place, name);
      const found = await lstat(path).catch(() => undefined);
      if (found?.isFile() === true && found.mtime < before) await rm(path, { force: true });
    }
  }

  async freeBytes(): Promise<number> {
    await this.#requireFolder();
    const { bavail, bsize } = await statfs(this.place);
    return bavail * bsize;
  }

  async requireWritable(): Promise<void> {
    await this.#requireFolder();
    try {
      // Root may write everywhere, but not on a disk that is mounted read-only.
      await access(this.place, constants.W_OK);
    } catch (error) {
      throw this.#failure('storing a backup', error);
    }
  }

  /**
   * Refuses a folder that is missing, because its disk may not be mounted and the backups would fill the disk below,
   * and one in which another account could replace a backup.
   */
  async #requireFolder(): Promise<void> {
    const refuse = (why: string, next: string, cause?: unknown): Failure =>
      new Failure('store-unavailable', { what: `the folder for backups ${this.place}`, why, next }, cause);
    const found = await stat(this.place).catch((error: unknown) => {
      const why = isMissing(error) ? 'it does not exist' : `it ${reasonOf(error)}`;
      throw refuse(why, `mount its disk, or make it: install -d -m 700 ${this.place}`, error);
    });
    if (!found.isDirectory()) throw refuse('it is not a folder', 'set backups.directory to a folder');
    if (found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0)
      throw refuse('other accounts may write there', `chown root ${this.place} && chmod 700 ${this.place}`);
  }

  /** Makes the names on the way to a key durable. */
  async #syncAbove(key: string): Promise<void> {
    for (let folder = dirname(key); ; folder = dirname(folder)) {
      const handle = await open(join(this.place, folder), 'r');
      await handle.sync().finally(() => handle.close());
      if (folder === '.') return;
    }
  }

  /** Removes empty folders from here upwards. */
  async #removeEmpty(folder: string): Promise<void> {
    for (let each = folder; each !== '.'; each = dirname(each)) {
      try {
        await rmdir(join(this.place, each));
      } catch {
        return;
      }
    }
  }

  #failure(what: string, error: unknown): Failure {
    if (error instanceof Failure) return error;
    const code = codeOf(error);
    if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG')
      return new Failure(
        'no-space',
        { what, why: `${this.place} is full`, next: 'free space there, or delete old backups: "backup list"' },
        error,
      );
    if (code === 'ABORT_ERR') return new Failure('cancelled', { what, why: 'it was cancelled' }, error);
    const next = `look at its disk: findmnt --target ${this.place}`;
    return new Failure('store-unavailable', { what, why: `${this.place} ${reasonOf(error)}`, next }, error);
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
}

/** What the codes of open(2) and its like mean for a folder, as predicates. */
const reasons: Readonly<Record<string, string>> = {
  EACCES: 'may not be used by this account',
  EIO: 'has a disk that reports errors',
  ENOENT: 'has lost a file or folder that was there',
  EROFS: 'is read-only',
  ESTALE: 'has lost its server',
};

function reasonOf(error: unknown): string {
  const code = codeOf(error) ?? '';
  return reasons[code] ?? `cannot be used (${code === '' ? String(error) : code})`;
}
