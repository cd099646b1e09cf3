/** Reads archived segments: `000001.jsonl.gz`, each the unchanged bytes of a segment, compressed with gzip. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { Failure } from '../../domain/failure.ts';
import { damaged, errnoOf, reasonOf, unreadable } from '../failures.ts';
import { splitLines, type Line } from '../lines.ts';
import { segmentName } from '../segments.ts';

export function archivedName(segment: number): string {
  return `${segmentName(segment)}.gz`;
}

export function archivedPath(archive: string, segment: number): string {
  return join(archive, archivedName(segment));
}

/** Yields the unpacked bytes of an archived segment. Memory does not depend on how large it unpacks. */
async function* unpacked(path: string): AsyncGenerator<Buffer, void, undefined> {
  const file = createReadStream(path);
  const gunzip = createGunzip();
  file.on('error', (error) => gunzip.destroy(error));
  try {
    for await (const chunk of file.pipe(gunzip)) yield chunk as Buffer;
  } catch (error) {
    // zlib has codes of its own for what is no gzip, and for one that was cut.
    if (errnoOf(error)?.startsWith('Z_') === true)
      throw damaged(dirname(path), { segment: basename(path), line: 0 }, `it cannot be unpacked: ${reasonOf(error)}`);
    throw error instanceof Failure ? error : unreadable(path, error);
  } finally {
    file.destroy();
    gunzip.destroy();
  }
}

/**
 * Yields the lines of an archived segment. Rejects with `not-found` without the file, `journal-damaged` if it cannot be
 * unpacked, and `cancelled`.
 */
export function readArchivedLines(path: string, signal?: AbortSignal): AsyncGenerator<Line[], void, undefined> {
  return splitLines(unpacked(path), signal);
}

/** Returns the SHA-256 of an archived segment's unpacked bytes, in hexadecimal digits. */
export async function archivedSha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of unpacked(path)) hash.update(chunk);
  return hash.digest('hex');
}
