/** The files of a journal: `000001.jsonl`, `000002.jsonl`, … in one folder, and how they are read. */
import { open, readdir, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../domain/failure.ts';
import { parseLine, type JournalRecord } from './chain.ts';
import { unreadable } from './failures.ts';
import { splitLines, type Line } from './lines.ts';

const namePattern = /^(\d{6,15})\.jsonl$/;

/** Size of one read. */
const chunkBytes = 64 * 1024;

/** Returns the file name of a segment. Segments are counted from 1. */
export function segmentName(segment: number): string {
  return `${String(segment).padStart(6, '0')}.jsonl`;
}

export function segmentPath(folder: string, segment: number): string {
  return join(folder, segmentName(segment));
}

/** Returns the numbers of all segments, ascending; ignores other files. Rejects with `not-found` without the folder. */
export async function listSegments(folder: string): Promise<number[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    throw unreadable(folder, error);
  }
  return names
    .map((name) => Number(namePattern.exec(name)?.[1]))
    .filter((segment) => segment > 0)
    .sort((a, b) => a - b);
}

/**
 * Returns the first segment that is missing from `1, 2, 3 …`. The segments up to `archived` may be missing, but only
 * from the beginning.
 */
export function firstGap(segments: readonly number[], archived = 0): number | undefined {
  const [first = 0] = segments;
  if (segments.length === 0) return archived === 0 ? undefined : archived + 1;
  if (first > archived + 1) return archived + 1;
  const index = segments.findIndex((segment, i) => segment !== first + i);
  return index === -1 ? undefined : first + index;
}

export interface ReadOptions {
  /** Position at which reading ends; by default the size of the file when it is opened. */
  readonly endBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Yields the lines of a file in order, several at a time. Keeps one chunk and at most one line of {@link maxLineBytes}
 * in memory, and ends after a line that is too long. Rejects with `cancelled` if the signal is aborted.
 */
export async function* readLines(path: string, options: ReadOptions = {}): AsyncGenerator<Line[], void, undefined> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw unreadable(path, error);
  });
  try {
    const end = options.endBytes ?? (await file.stat()).size;
    yield* splitLines(chunksOf(file, end), options.signal);
  } catch (error) {
    throw error instanceof Failure ? error : unreadable(path, error);
  } finally {
    await file.close();
  }
}

async function* chunksOf(file: FileHandle, endBytes: number): AsyncGenerator<Buffer, void, undefined> {
  let position = 0;
  while (position < endBytes) {
    const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, endBytes - position));
    const { bytesRead } = await file.read(chunk, 0, chunk.length, position);
    if (bytesRead === 0) return;
    yield chunk.subarray(0, bytesRead);
    position += bytesRead;
  }
}

/** Returns the first record of a segment, or undefined if its first line is not a complete record. */
export async function firstRecord(folder: string, segment: number): Promise<JournalRecord | undefined> {
  for await (const lines of readLines(segmentPath(folder, segment))) {
    const line = lines[0];
    if (line?.form !== 'complete') return undefined;
    const parsed = parseLine(line.bytes);
    return parsed.ok ? parsed.record : undefined;
  }
  return undefined;
}
