/**
 * The authorized_keys files of the jump accounts: one file per account in a folder owned by root, which the sshd
 * drop-in names as `AuthorizedKeysFile`. Derived from Incus, so that `reconcile` can rebuild all of them.
 */
import { chmod, chown, mkdir, readdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { Failure } from '../domain/failure.ts';

export interface JumpKeys {
  /** The file's text, or `undefined` where there is none. */
  read(user: string): Promise<string | undefined>;
  /** Replaces the file in one step: sshd sees the old or the new text, never a part. */
  write(user: string, text: string): Promise<void>;
  remove(user: string): Promise<void>;
  /** The names of all accounts that have a file. */
  users(): Promise<string[]>;
}

/** Only names that can be a user name are files of ours: nothing else in the folder is read or listed. */
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

  /** `groupId` gives the jump accounts' group, which must be able to read the files: sshd reads them as the account. */
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
      return await readFile(path, 'utf8');
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw pathError('reading jump account keys', path, error);
    }
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
    // sshd's StrictModes wants every folder on the way owned by root and writable by nobody else (sshd_config(5)).
    await chown(this.#folder, 0, 0);
    await chmod(this.#folder, 0o755);
  }
}
