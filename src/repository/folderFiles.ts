/**
 * Reads the files of a folder that nobody can change: a snapshot, mounted read-only. What is in it was made by the root
 * of a container, or by an attacker who can write to the store. Symbolic links are not followed, only regular files
 * are opened, and names may have any bytes.
 */
import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, lstatSync, opendirSync, openSync, readSync, type Dir } from 'node:fs';
import { lineOf } from './fileList.ts';
import type { FileCount } from './tarFiles.ts';

export interface FolderBounds {
  readonly maxFiles: number;
  readonly maxListBytes: number;
}

/** Those of an archive (tarFiles.ts). */
const defaultBounds: FolderBounds = { maxFiles: 2_000_000, maxListBytes: 512 * 1024 * 1024 };

/** A file this large may take at most so many times the space that it has on disk: reading holes would never end. */
const maxHoleFactor = 64;
const mayHaveHoles = 1024 * 1024;

const slash = Buffer.from('/');
const buffer = Buffer.alloc(1024 * 1024);

/**
 * Yields the lines of the list of a folder's files, and counts them. It works synchronously: its process does nothing
 * else, and so it is several times faster.
 */
export function* listFolder(root: string, count: FileCount, bounds: FolderBounds = defaultBounds): Generator<string> {
  const folders: { readonly path: Buffer; readonly dir: Dir }[] = [];
  const enter = (path: Buffer): void => {
    const dir = unlessTooLong(() => opendirSync(path, { encoding: 'buffer' as BufferEncoding }));
    if (dir === undefined) count.omitted += 1;
    else folders.push({ path, dir });
  };
  const rootPath = Buffer.from(root);
  enter(rootPath);
  let bytes = 0;
  try {
    for (let folder = folders.at(-1); folder !== undefined; folder = folders.at(-1)) {
      const entry = folder.dir.readSync();
      if (entry === null) {
        folders.pop()?.dir.closeSync();
        continue;
      }
      const path = Buffer.concat([folder.path, slash, entry.name as unknown as Buffer]);
      const kind = unlessTooLong(() => lstatSync(path));
      if (kind === undefined) count.omitted += 1;
      else if (kind.isDirectory()) enter(path);
      if (kind?.isFile() !== true) continue;
      const sha256 = checksumOf(path);
      const text = path.subarray(rootPath.length).toString('utf8');
      const line = sha256 === undefined ? undefined : lineOf({ path: text, sha256 });
      if (line === undefined || count.listed >= bounds.maxFiles || bytes + line.length > bounds.maxListBytes) {
        count.omitted += 1;
        continue;
      }
      count.listed += 1;
      bytes += line.length;
      yield line;
    }
  } finally {
    for (const { dir } of folders) dir.closeSync();
  }
}

/** Returns the checksum of a regular file; undefined for one that is nearly all holes. */
function checksumOf(path: Buffer): string | undefined {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size, blocks } = fstatSync(file);
    // stat(2): blocks of 512 bytes.
    if (size > mayHaveHoles && size > blocks * 512 * maxHoleFactor) return undefined;
    const hash = createHash('sha256');
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer))
      hash.update(buffer.subarray(0, read));
    return hash.digest('hex');
  } finally {
    closeSync(file);
  }
}

/** Returns undefined for a path that is longer than the kernel takes. */
function unlessTooLong<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENAMETOOLONG') return undefined;
    throw error;
  }
}

/**
 * Returns what is wrong with the folder of an instance, as a clause. Incus writes and reads files in it by their names
 * as root of the host: it must find there what it has made itself, and not links to elsewhere.
 */
export function volumeTrouble(root: string): string | undefined {
  const is = (path: string, kind: 'isDirectory' | 'isFile'): boolean => {
    const found = lstatSync(path, { throwIfNoEntry: false });
    return found === undefined || (found[kind]() && (kind === 'isDirectory' || found.nlink === 1));
  };
  const top = lstatSync(root);
  // Files in it may be owned by root of the host, with the right to run as root.
  if ((top.mode & 0o077) !== 0) return 'other accounts of the host could enter it';
  if (lstatSync(`${root}/rootfs`, { throwIfNoEntry: false })?.isDirectory() !== true)
    return 'it has no folder "rootfs"';
  for (const file of ['backup.yaml', 'metadata.yaml'])
    if (!is(`${root}/${file}`, 'isFile')) return `its "${file}" is no file of its own`;
  if (!is(`${root}/templates`, 'isDirectory')) return 'its "templates" is no folder';
  const templates = lstatSync(`${root}/templates`, { throwIfNoEntry: false });
  if (templates === undefined) return undefined;
  const dir = opendirSync(`${root}/templates`);
  try {
    for (let entry = dir.readSync(); entry !== null; entry = dir.readSync())
      if (!is(`${root}/templates/${entry.name}`, 'isFile')) return 'its "templates" has more than files';
  } finally {
    dir.closeSync();
  }
  return undefined;
}
