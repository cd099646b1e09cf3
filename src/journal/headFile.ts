/**
 * `head.json`: the number and hash of the last record, beside the segments. A hash chain alone does not reveal that its
 * end was cut off or replaced; this file does. It is written after the record is on disk, so the journal may be ahead
 * of it, but never behind.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChainHead } from './chain.ts';
import { damaged, errnoOf, unreadable } from './failures.ts';

export const headFileName = 'head.json';

/** Delay between an append and the write of the file, which covers all appends until then, in milliseconds. */
const delayMs = 100;

/**
 * Returns the head in the file. Returns undefined if there is no file or an empty one: the file is not synced, and a
 * power failure may leave it empty. Rejects with `journal-damaged` for any other invalid content.
 */
export async function readHeadFile(folder: string): Promise<ChainHead | undefined> {
  const path = join(folder, headFileName);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw unreadable(path, error);
  }
  if (/^\0*$/.test(text)) return undefined;
  try {
    const { seq, hash } = JSON.parse(text) as { seq?: unknown; hash?: unknown };
    if (Number.isSafeInteger(seq) && typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash))
      return { seq: seq as number, hash };
  } catch {
    // Not JSON, which is handled like any other invalid content.
  }
  throw damaged(folder, { segment: headFileName, line: 1 }, 'it does not contain the number and hash of a record');
}

/** Returns why a record contradicts the file, or undefined. To be called for every record, from old to new. */
export function contradicts(head: ChainHead, fileHead: ChainHead | undefined): string | undefined {
  if (fileHead === undefined || head.seq !== fileHead.seq || head.hash === fileHead.hash) return undefined;
  return `it is not the record that was written here: ${headFileName} has a different hash for record ${fileHead.seq}`;
}

/** Returns why a journal that ends at `head` has lost records, or undefined. */
export function lacksRecords(head: ChainHead, fileHead: ChainHead | undefined): string | undefined {
  if (fileHead === undefined || head.seq >= fileHead.seq) return undefined;
  return `the journal ends at record ${head.seq}, but according to ${headFileName} record ${fileHead.seq} was written: the end was cut off`;
}

/**
 * Writes the file shortly after the head has moved. If that fails, the journal is ahead of the file, which is allowed.
 */
export class HeadFile {
  readonly #path: string;
  #latest: ChainHead | undefined;
  #written: ChainHead | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(folder: string) {
    this.#path = join(folder, headFileName);
  }

  note(head: ChainHead): void {
    this.#latest = head;
    this.#timer ??= setTimeout(() => void this.flush(), delayMs).unref();
  }

  /** Writes the latest head. Resolves when that is done or has failed. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(async () => {
      const head = this.#latest;
      if (head === undefined || head === this.#written) return;
      // Always the same name, so that killed processes leave one file at most. There is only one writer.
      const fresh = `${this.#path}.new`;
      try {
        await writeFile(fresh, `${JSON.stringify({ seq: head.seq, hash: head.hash })}\n`, { mode: 0o600 });
        await rename(fresh, this.#path);
        this.#written = head;
      } catch {
        // See the class comment.
      }
    });
    return this.#writing;
  }
}
