/**
 * `head.json`: the last record's number and hash, beside the segments. A hash chain alone does not show that its end
 * was cut off or replaced; this does. It is written after the record is on disk, so a journal may be ahead of it, and
 * never behind.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChainHead } from './chain.ts';
import { damaged, errnoOf, unreadable } from './problems.ts';

export const headFileName = 'head.json';

/** How long appends are gathered before the file is replaced, in milliseconds. */
const gatherMs = 100;

/**
 * The head that was noted last. Undefined where there is no file, or an empty one, which is what a power failure may
 * leave of a file that is not synced. Rejects with `journal-damaged` for anything else that is not a head.
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
    // Not JSON: the same answer as for JSON that is not a head.
  }
  throw damaged(folder, { segment: headFileName, line: 1 }, 'it does not hold the number and hash of a record');
}

/**
 * Why `head` or the records leading to it contradict the file: the reason, or undefined. Call it for each head from old
 * to new.
 */
export function contradicts(head: ChainHead, noted: ChainHead | undefined): string | undefined {
  if (noted === undefined || head.seq !== noted.seq || head.hash === noted.hash) return undefined;
  return `it is not the record that was written here: ${headFileName} has another hash for record ${noted.seq}`;
}

/** The reason why a journal that ends at `head` has lost records, or undefined. */
export function lacksRecords(head: ChainHead, noted: ChainHead | undefined): string | undefined {
  if (noted === undefined || head.seq >= noted.seq) return undefined;
  return `the journal ends at record ${head.seq}, and ${headFileName} says that record ${noted.seq} was written: the end was cut off`;
}

/**
 * Replaces the file some time after the head has moved. After an error the journal is ahead of it, which is allowed.
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
    this.#timer ??= setTimeout(() => void this.flush(), gatherMs).unref();
  }

  /** Writes what was noted; resolves when that is done or has failed. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(async () => {
      const head = this.#latest;
      if (head === undefined || head === this.#written) return;
      // One name for all times, so that a killed process leaves one file and not one more each time. There is one
      // writer.
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
