/** Reads the files of an export: a tar archive, as `incus export` writes it (incus 6.0). */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { extract } from 'tar-stream';
import { lineOf } from './fileList.ts';

/** Where the files of the container begin in the archive. */
const root = 'backup/container/rootfs';

export interface FileCount {
  /** Number of files that are in the list. */
  listed: number;
  /** Number of files that had no room there, or whose names are not UTF-8. */
  omitted: number;
}

/** A list has room for so many files, and so many bytes. */
const defaultMaxFiles = 2_000_000;
const maxListBytes = 512 * 1024 * 1024;

/**
 * Writes the list of the files of an archive to `list`, which is ended. The archive is read no faster than the list.
 * Rejects if it is no tar archive, or cut.
 */
export async function listFiles(
  source: AsyncIterable<Buffer>,
  list: Writable,
  count: FileCount,
  maxFiles: number = defaultMaxFiles,
): Promise<void> {
  const archive = extract();
  let listBytes = 0;
  archive.on('entry', (header, stream, next) => {
    const isFile = header.type === 'file' || header.type === 'contiguous-file';
    const path = isFile && header.name.startsWith(`${root}/`) ? header.name.slice(root.length) : undefined;
    const hash = path === undefined ? undefined : createHash('sha256');
    stream.on('data', (chunk: Buffer) => void hash?.update(chunk));
    stream.on('error', next);
    stream.on('end', () => {
      if (path === undefined || hash === undefined) return next();
      const line = lineOf({ path, sha256: hash.digest('hex') });
      const hasRoom = line !== undefined && count.listed < maxFiles && listBytes + line.length <= maxListBytes;
      if (!hasRoom) {
        count.omitted += 1;
        return next();
      }
      count.listed += 1;
      listBytes += line.length;
      list.write(line, next);
    });
  });
  const ended = new Promise<void>((resolve, reject) => archive.on('finish', resolve).on('error', reject));
  ended.catch(() => undefined);
  for await (const chunk of source) {
    if (!archive.write(chunk)) await Promise.race([once(archive, 'drain'), ended]);
  }
  archive.end();
  await ended;
  list.end();
}

/** Reads a whole stream of at most `maxBytes` as text. Throws for a longer one. */
export async function textOf(source: Readable, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
