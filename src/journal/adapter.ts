/**
 * The lowdb adapter of the journal: `read` finds the end of what is on disk, `write` appends what waits. lowdb's data
 * is the head and the records not yet written, never the history: an append costs the same in time and memory however
 * long the journal is.
 */
import { chmod, mkdir } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import type { Adapter } from 'lowdb';
import { isFailure, type Failure } from '../domain/failure.ts';
import { entryText, envelopeBytes, genesis, maxLineBytes, seal, type ChainHead, type JsonValue } from './chain.ts';
import type { JournalFiles, SegmentFile } from './files.ts';
import { HeadFile } from './headFile.ts';
import { lockFolder } from './lock.ts';
import { findEnding, type Repair } from './opening.ts';
import { damaged, reasonOf, unwritable } from './problems.ts';
import { segmentName, segmentPath } from './segments.ts';

/** A record on its way to the disk. `written` is set when it is there. */
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
}

export class JournalAdapter implements Adapter<JournalData> {
  readonly #options: AdapterOptions;
  readonly #headFile: HeadFile;
  #unlock: (() => Promise<void>) | undefined;
  #file: SegmentFile | undefined;
  #segment = 0;
  /** The end of the last good record, in bytes: where the next one goes. */
  #offset = 0;
  #head = genesis;
  #repaired: Repair | undefined;
  /** Set when it is no longer known what is on disk: nothing is written any more. */
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

  /** The segment that is written to, and how much of it is acknowledged, in bytes. */
  get end(): { readonly segment: number; readonly bytes: number } {
    return { segment: this.#segment, bytes: this.#offset };
  }

  /**
   * Opens the journal: takes the lock, checks the last segment, cuts off an interrupted write and records that, or
   * begins a journal.
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
      await this.#takeUp();
    } catch (error) {
      await this.close();
      throw error;
    }
    return { head: this.#head, pending: [] };
  }

  /**
   * Appends everything that is pending. Calls at the same time share one write: whoever comes while one is under way
   * joins the next.
   */
  write(data: JournalData): Promise<void> {
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      const commit = this.#commit(data);
      this.#running = commit.catch(() => undefined);
      return commit;
    });
    return this.#next;
  }

  /** Waits for what is under way, and lets go of the files. */
  async close(): Promise<void> {
    await this.#next?.catch(() => undefined);
    await this.#running;
    await this.#file?.close();
    this.#file = undefined;
    await this.#headFile.flush();
    await this.#unlock?.();
    this.#unlock = undefined;
  }

  async #takeUp(): Promise<void> {
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
      // No write is longer than the longest line, so that an interrupted one never leaves more than that behind.
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
   * Writes records in one go and syncs them. On an error the segment is as before, or the journal refuses everything
   * from then on.
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
      await file.truncate(this.#offset).catch((second: unknown) => {
        this.#refuse(
          path,
          `${reasonOf(error)}; and what was written of it could not be taken back: ${reasonOf(second)}`,
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
   * Somebody else's write would be overwritten, and what is written to a deleted file is lost: neither may happen
   * unnoticed.
   */
  async #ensureUntouched(file: SegmentFile, path: string): Promise<void> {
    const { sizeBytes, links } = await file.stat().catch((error: unknown) => {
      throw unwritable(path, error);
    });
    if (sizeBytes === this.#offset && links > 0) return;
    const resized = `it is ${sizeBytes} bytes long and should be ${this.#offset}: something else changed it`;
    const why = links === 0 ? 'the file was deleted' : resized;
    this.#refusal = damaged(
      this.#options.folder,
      { segment: segmentName(this.#segment), line: 0 },
      `${why}; nothing is recorded any more`,
    );
    throw this.#refusal;
  }

  /**
   * Begins the next segment. The owner learns that a record is written in a microtask after the write, and what it
   * carries over must include the effect of that record: hence the turn of the event loop before it is asked. While
   * that is too long for a record the segment grows on: recording goes before tidiness.
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
      // Left behind it would be taken for the last segment.
      await files
        .remove(path)
        .then(() => files.syncFolder(folder))
        .catch((second: unknown) => {
          this.#refuse(path, `${reasonOf(error)}; and the file could not be removed again: ${reasonOf(second)}`);
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
    this.#refusal = unwritable(path, new Error(`${why}; nothing is recorded until the server is restarted`));
  }
}

/** The record that every segment begins with. */
function segmentText(segment: number, carry: JsonValue): string {
  return entryText({ type: 'segment', segment, carry });
}

/** write(2) may write less than it was given: a full disk shows itself that way, before the error. */
async function writeAll(file: SegmentFile, bytes: Buffer, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const count = await file.write(bytes.subarray(done), position + done);
    if (count <= 0) throw new Error('the write made no progress');
    done += count;
  }
}
