/** The files of a journal: `000001.jsonl`, `000002.jsonl`, … in one folder, and how they are read. */
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../domain/failure.ts';
import { maxLineBytes, parseLine, type JournalRecord } from './chain.ts';
import { unreadable } from './failures.ts';

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

/** Returns the first segment that is missing from `1, 2, 3 …`. */
export function firstGap(segments: readonly number[]): number | undefined {
  const index = segments.findIndex((segment, i) => segment !== i + 1);
  return index === -1 ? undefined : index + 1;
}

export interface Line {
  /** Counted from 1. */
  readonly number: number;
  /** Position of its first byte in the file. */
  readonly offset: number;
  /** The line without its line feed; empty if it is too long. */
  readonly bytes: Buffer;
  /**
   * `complete` ends with a line feed, `incomplete` with the end of the file. `too-long` has more than
   * {@link maxLineBytes}.
   */
  readonly form: 'complete' | 'incomplete' | 'too-long';
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
    let partial: Buffer[] = [];
    let partialBytes = 0;
    let number = 1;
    let position = 0;
    while (position < end) {
      if (options.signal?.aborted === true)
        throw new Failure('cancelled', { what: 'reading the journal', why: 'it was cancelled' });
      const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, end - position));
      const { bytesRead } = await file.read(chunk, 0, chunk.length, position);
      if (bytesRead === 0) break;
      const lines: Line[] = [];
      let from = 0;
      let tooLong = false;
      while (from < bytesRead && !tooLong) {
        const feed = chunk.subarray(0, bytesRead).indexOf(0x0a, from);
        const part = chunk.subarray(from, feed === -1 ? bytesRead : feed);
        const offset = position + from - partialBytes;
        partial.push(part);
        partialBytes += part.length;
        if (partialBytes >= maxLineBytes) {
          lines.push({ number, offset, bytes: Buffer.alloc(0), form: 'too-long' });
          tooLong = true;
        } else if (feed !== -1) {
          lines.push({ number, offset, bytes: partial.length === 1 ? part : Buffer.concat(partial), form: 'complete' });
          number += 1;
          partial = [];
          partialBytes = 0;
        }
        from = feed === -1 ? bytesRead : feed + 1;
      }
      if (lines.length > 0) yield lines;
      if (tooLong) return;
      position += bytesRead;
    }
    if (partialBytes > 0)
      yield [{ number, offset: position - partialBytes, bytes: Buffer.concat(partial), form: 'incomplete' }];
  } catch (error) {
    throw error instanceof Failure ? error : unreadable(path, error);
  } finally {
    await file.close();
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
