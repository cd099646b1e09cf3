/**
 * The authorized_keys files of the jump accounts: one file per account, in a folder owned by root that the sshd drop-in
 * names as `AuthorizedKeysFile`. They are derived from Incus, so that `reconcile` can rebuild all of them.
 */
import { chmod, chown, mkdir, readdir, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { Failure } from '../domain/failure.ts';

export interface JumpKeys {
  /** Returns the text that sshd reads as this account, or `undefined` if there is no file that it can read. */
  read(user: string): Promise<string | undefined>;
  /** Replaces the file atomically: sshd reads either the old or the new text. */
  write(user: string, text: string): Promise<void>;
  remove(user: string): Promise<void>;
  /** Returns the names of all accounts that have a file. */
  users(): Promise<string[]>;
}

/** Valid file names: those that can be user names. Other files in the folder are ignored. */
const fileName = /^[a-z][a-z0-9-]{0,31}$/;

function pathError(what: string, path: string, error: unknown): Failure {
  return new Failure(
    'program-failed',
    { what, why: `${path}: ${error instanceof Error ? error.message : String(error)}` },
    error,
  );
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

export class JumpKeyFiles implements JumpKeys {
  readonly #folder: string;
  readonly #groupId: () => Promise<number | undefined>;
  /** The group at the last query. */
  #gid: number | undefined;

  /** `groupId` returns the jump accounts' group, which needs read access: sshd reads the files as the account. */
  constructor(folder: string, groupId: () => Promise<number | undefined>) {
    this.#folder = folder;
    this.#groupId = groupId;
  }

  #path(user: string): string {
    if (!fileName.test(user)) throw new Failure('invalid-user', { what: `"${user}"`, why: 'it cannot be a file name' });
    return join(this.#folder, user);
  }

  async read(user: string): Promise<string | undefined> {
    const path = this.#path(user);
    try {
      const text = await readFile(path, 'utf8');
      return (await this.#isReadable(path)) ? text : undefined;
    } catch (error) {
      if (error instanceof Failure) throw error;
      if (hasCode(error, 'ENOENT')) return undefined;
      throw pathError('reading jump account keys', path, error);
    }
  }

  /** On a data disk from another machine the files belong to the number that the group had there. */
  async #isReadable(path: string): Promise<boolean> {
    if (process.getuid?.() !== 0) return true;
    const { uid, gid } = await stat(path);
    if (gid !== this.#gid) this.#gid = await this.#groupId();
    return uid === 0 && gid === this.#gid;
  }

  async write(user: string, text: string): Promise<void> {
    const path = this.#path(user);
    try {
      await this.#ensureFolder();
      const gid = await this.#groupId();
      await writeFileAtomic(path, text, {
        mode: 0o640,
        ...(process.getuid?.() === 0 && gid !== undefined ? { chown: { uid: 0, gid } } : {}),
      });
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw pathError('writing jump account keys', path, error);
    }
  }

  async remove(user: string): Promise<void> {
    const path = this.#path(user);
    try {
      await unlink(path);
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw pathError('removing jump account keys', path, error);
    }
  }

  async users(): Promise<string[]> {
    try {
      return (await readdir(this.#folder)).filter((name) => fileName.test(name)).sort();
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return [];
      throw pathError('listing jump account keys', this.#folder, error);
    }
  }

  async #ensureFolder(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o755 });
    if (process.getuid?.() !== 0) return;
    // sshd's StrictModes requires every folder in the path to be owned and writable by root alone (sshd_config(5)).
    await chown(this.#folder, 0, 0);
    await chmod(this.#folder, 0o755);
  }
}
