/**
 * The lowdb adapter of the journal: `read` finds the end of the journal on disk, `write` appends the pending records.
 * lowdb's data holds the head and the pending records, never the history, so the cost of an append does not depend on
 * the length of the journal.
 */
import { chmod, mkdir } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import type { Adapter } from 'lowdb';
import { isFailure, type Failure } from '../domain/failure.ts';
import { entryText, envelopeBytes, genesis, maxLineBytes, seal, type ChainHead, type JsonValue } from './chain.ts';
import type { JournalFiles, SegmentFile } from './files.ts';
import { HeadFile } from './headFile.ts';
import { lockFolder } from './lock.ts';
import { findEnding, type Repair } from './ending.ts';
import { damaged, reasonOf, unwritable } from './failures.ts';
import { segmentName, segmentPath } from './segments.ts';

/** A record that is not on disk yet. `written` is set once it is. */
export interface PendingRecord {
  /** Made by `entryText`. */
  readonly fields: string;
  written?: ChainHead;
}

export interface JournalData {
  head: ChainHead;
  pending: PendingRecord[];
}

export interface AdapterOptions {
  readonly folder: string;
  readonly segmentBytes: number;
  readonly carry: () => JsonValue;
  readonly now: () => number;
  readonly files: JournalFiles;
  readonly rotated: () => void;
}

export class JournalAdapter implements Adapter<JournalData> {
  readonly #options: AdapterOptions;
  readonly #headFile: HeadFile;
  #unlock: (() => Promise<void>) | undefined;
  #file: SegmentFile | undefined;
  #segment = 0;
  /** Position in the segment at which the next record is written. */
  #offset = 0;
  #head = genesis;
  #repaired: Repair | undefined;
  /** Set when the content of the disk is uncertain. From then on every write fails with it. */
  #refusal: Failure | undefined;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(options: AdapterOptions) {
    this.#options = options;
    this.#headFile = new HeadFile(options.folder);
  }

  get repaired(): Repair | undefined {
    return this.#repaired;
  }

  /** The current segment, and the length of its acknowledged part. */
  get end(): { readonly segment: number; readonly bytes: number } {
    return { segment: this.#segment, bytes: this.#offset };
  }

  /**
   * Opens the journal or begins a new one: takes the lock, checks the last segment, cuts off an interrupted write, and
   * records that.
   */
  async read(): Promise<JournalData> {
    const { folder } = this.#options;
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await chmod(folder, 0o700);
    } catch (error) {
      throw unwritable(folder, error);
    }
    this.#unlock = await lockFolder(folder);
    try {
      await this.#resume();
    } catch (error) {
      await this.close();
      throw error;
    }
    return { head: this.#head, pending: [] };
  }

  /** Appends all pending records. Calls that arrive during a write share the next one. */
  write(data: JournalData): Promise<void> {
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      const commit = this.#commit(data);
      this.#running = commit.catch(() => undefined);
      return commit;
    });
    return this.#next;
  }

  /** Waits for running writes, closes the files and releases the lock. */
  async close(): Promise<void> {
    await this.#next?.catch(() => undefined);
    await this.#running;
    await this.#file?.close();
    this.#file = undefined;
    await this.#headFile.flush();
    await this.#unlock?.();
    this.#unlock = undefined;
  }

  async #resume(): Promise<void> {
    const { folder, files } = this.#options;
    const ending = await findEnding(folder);
    if (ending?.unfinished !== undefined) {
      const path = segmentPath(folder, ending.unfinished);
      try {
        await files.remove(path);
        await files.syncFolder(folder);
      } catch (error) {
        throw unwritable(path, error);
      }
    }
    if (ending === undefined || ending.segment === 0) {
      await this.#begin(1, segmentText(1, null));
    } else {
      const path = segmentPath(folder, ending.segment);
      try {
        this.#file = await files.open(path, 'existing');
        if (ending.repair !== undefined) await this.#file.truncate(ending.goodBytes);
      } catch (error) {
        throw unwritable(path, error);
      }
      this.#segment = ending.segment;
      this.#offset = ending.goodBytes;
      this.#move(ending.head);
    }
    this.#repaired = ending?.repair;
    if (ending?.repair !== undefined) await this.#append([{ fields: entryText({ type: 'repair', ...ending.repair }) }]);
  }

  async #commit(data: JournalData): Promise<void> {
    const batch = [...data.pending];
    try {
      if (this.#refusal !== undefined) throw this.#refusal;
      if (batch.length > 0 && this.#offset >= this.#options.segmentBytes) await this.#rotate();
      // No write exceeds the longest line, so an interrupted write never leaves more than that behind.
      let portion: PendingRecord[] = [];
      let bytes = 0;
      for (const record of batch) {
        const size = Buffer.byteLength(record.fields) + envelopeBytes;
        if (bytes + size > maxLineBytes && portion.length > 0) {
          await this.#append(portion);
          portion = [];
          bytes = 0;
        }
        portion.push(record);
        bytes += size;
      }
      if (portion.length > 0) await this.#append(portion);
    } finally {
      data.pending.splice(0, batch.length);
      data.head = this.#head;
    }
  }

  /**
   * Writes records at once and syncs them. After an error the segment is as before, or all later writes are refused.
   */
  async #append(records: readonly PendingRecord[]): Promise<void> {
    const file = this.#file;
    const path = segmentPath(this.#options.folder, this.#segment);
    if (file === undefined) throw unwritable(path, new Error('the journal is closed'));
    await this.#ensureUntouched(file, path);
    const time = this.#options.now();
    const heads: ChainHead[] = [];
    let head = this.#head;
    let text = '';
    for (const { fields } of records) {
      const sealed = seal(head, time, fields);
      head = sealed.head;
      heads.push(head);
      text += sealed.line;
    }
    const bytes = Buffer.from(text);
    try {
      await writeAll(file, bytes, this.#offset);
      await file.datasync();
    } catch (error) {
      await file.truncate(this.#offset).catch((truncateError: unknown) => {
        this.#refuse(
          path,
          `${reasonOf(error)}; and the partial record could not be cut off: ${reasonOf(truncateError)}`,
        );
      });
      throw this.#refusal ?? unwritable(path, error);
    }
    this.#offset += bytes.length;
    this.#move(head);
    records.forEach((record, i) => {
      const written = heads[i];
      if (written !== undefined) record.written = written;
    });
  }

  /**
   * Throws if another program has changed or deleted the segment: the next write would overwrite its change, or be lost
   * with the deleted file.
   */
  async #ensureUntouched(file: SegmentFile, path: string): Promise<void> {
    const { sizeBytes, links } = await file.stat().catch((error: unknown) => {
      throw unwritable(path, error);
    });
    if (sizeBytes === this.#offset && links > 0) return;
    const resized = `it is ${sizeBytes} bytes long and should be ${this.#offset}: another program has changed it`;
    const why = links === 0 ? 'the file was deleted' : resized;
    this.#refusal = damaged(
      this.#options.folder,
      { segment: segmentName(this.#segment), line: 0 },
      `${why}; no more records are written`,
    );
    throw this.#refusal;
  }

  /**
   * Begins the next segment. The caller of `append` learns in a microtask after the write that its record is written.
   * `carry` must include the effect of that record, so one turn of the event loop passes before it is called. If its
   * result is too long for a record, the current segment grows on: recording matters more than the segment size.
   */
  async #rotate(): Promise<void> {
    await setImmediate();
    const segment = this.#segment + 1;
    let fields: string;
    try {
      fields = segmentText(segment, this.#options.carry());
    } catch (error) {
      if (isFailure(error, 'input-too-large')) return;
      throw error;
    }
    await this.#begin(segment, fields);
    this.#options.rotated();
  }

  async #begin(segment: number, fields: string): Promise<void> {
    const { folder, files, now } = this.#options;
    const path = segmentPath(folder, segment);
    const { line, head } = seal(this.#head, now(), fields);
    const bytes = Buffer.from(line);
    const file = await files.open(path, 'create').catch((error: unknown) => {
      throw unwritable(path, error);
    });
    try {
      await writeAll(file, bytes, 0);
      await file.datasync();
      await files.syncFolder(folder);
    } catch (error) {
      await file.close().catch(() => undefined);
      // If the file stayed, it would be taken for the last segment.
      await files
        .remove(path)
        .then(() => files.syncFolder(folder))
        .catch((removeError: unknown) => {
          this.#refuse(path, `${reasonOf(error)}; and the new file could not be removed: ${reasonOf(removeError)}`);
        });
      throw this.#refusal ?? unwritable(path, error);
    }
    await this.#file?.close().catch(() => undefined);
    this.#file = file;
    this.#segment = segment;
    this.#offset = bytes.length;
    this.#move(head);
  }

  #move(head: ChainHead): void {
    this.#head = head;
    this.#headFile.note(head);
  }

  #refuse(path: string, why: string): void {
    this.#refusal = unwritable(path, new Error(`${why}; no records are written until the server is restarted`));
  }
}

/** Makes the first record of a segment. */
function segmentText(segment: number, carry: JsonValue): string {
  return entryText({ type: 'segment', segment, carry });
}

/** Writes all bytes. A single write(2) may write fewer: a full disk shows itself that way, before the error. */
async function writeAll(file: SegmentFile, bytes: Buffer, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const count = await file.write(bytes.subarray(done), position + done);
    if (count <= 0) throw new Error('the write made no progress');
    done += count;
  }
}
