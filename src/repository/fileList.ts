/**
 * The list of the files of a backup with their checksums, in the format of sha256sum(1): `verify` compares it with what
 * a restored container has. A path begins with a slash and is that in the container.
 */
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

export interface FileEntry {
  readonly path: string;
  readonly sha256: string;
}

const maxPathLength = 4096;

/** Returns the line of a file; undefined for a path that cannot be in a list. */
export function lineOf({ path, sha256 }: FileEntry): string | undefined {
  // The bytes of the name are not UTF-8, so nobody can name the file by this text.
  if (path.includes('\ufffd') || path.includes('\0') || path.length > maxPathLength) return undefined;
  const escaped = path.replace(/[\\\n\r]/g, (character) => ({ '\\': '\\\\', '\n': '\\n' })[character] ?? '\\r');
  return `${escaped === path ? '' : '\\'}${sha256}  ${escaped}\n`;
}

const lineRule = /^(\\?)([0-9a-f]{64}) {2}(\/.*)$/;

/** Returns the file of a line; undefined for a line that is none. */
export function parseLine(line: string): FileEntry | undefined {
  if (line.length > 2 * maxPathLength + 70) return undefined;
  const [, mark, sha256 = '', written = ''] = lineRule.exec(line) ?? [];
  if (sha256 === '') return undefined;
  const path =
    mark === ''
      ? written
      : written.replace(/\\([\\nr])/g, (_, letter: string) => ({ n: '\n', r: '\r' })[letter] ?? '\\');
  return { path, sha256 };
}

/** Reads a list. Lines that are no entries are passed over: who can write to the store can write anything. */
export async function* readList(source: Readable): AsyncGenerator<FileEntry> {
  for await (const line of createInterface({ input: source, crlfDelay: Infinity })) {
    const entry = parseLine(line);
    if (entry !== undefined) yield entry;
  }
}
