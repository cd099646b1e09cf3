/** Splits the bytes of a journal file into lines. */
import { Failure } from '../domain/failure.ts';
import { maxLineBytes } from './chain.ts';

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

/**
 * Yields the lines of a series of chunks in order, several at a time. Keeps at most one line of {@link maxLineBytes} in
 * memory, and ends after a line that is too long. Rejects with `cancelled` if the signal is aborted.
 */
export async function* splitLines(
  chunks: AsyncIterable<Buffer>,
  signal?: AbortSignal,
): AsyncGenerator<Line[], void, undefined> {
  let partial: Buffer[] = [];
  let partialBytes = 0;
  let number = 1;
  let position = 0;
  for await (const chunk of chunks) {
    if (signal?.aborted === true)
      throw new Failure('cancelled', { what: 'reading the journal', why: 'it was cancelled' });
    const lines: Line[] = [];
    let from = 0;
    let tooLong = false;
    while (from < chunk.length && !tooLong) {
      const feed = chunk.indexOf(0x0a, from);
      const part = chunk.subarray(from, feed === -1 ? chunk.length : feed);
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
      from = feed === -1 ? chunk.length : feed + 1;
    }
    if (lines.length > 0) yield lines;
    if (tooLong) return;
    position += chunk.length;
  }
  if (partialBytes > 0)
    yield [{ number, offset: position - partialBytes, bytes: Buffer.concat(partial), form: 'incomplete' }];
}
