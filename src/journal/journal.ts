/**
 * The audit journal: append-only JSON lines, each with the hash of the previous one.
 *
 * A record is on disk before `append` resolves, and a change that cannot be recorded must not be made. The format is
 * described in chain.ts (a line), segments.ts (the files) and headFile.ts (the end). `verifyJournal` checks it,
 * `queryJournal` reads it, `archiveSegments` moves its oldest part to an archive.
 */
import { Low } from 'lowdb';
import { Failure } from '../domain/failure.ts';
import { JournalAdapter, type JournalData, type PendingRecord } from './adapter.ts';
import {
  entryText,
  genesis,
  parseLine,
  type ChainHead,
  type JournalEntry,
  type JournalRecord,
  type JsonValue,
} from './chain.ts';
import { realFiles, type JournalFiles } from './files.ts';
import type { Repair } from './ending.ts';
import { damaged } from './failures.ts';
import { readLines, segmentName, segmentPath } from './segments.ts';

export type { ChainHead, JournalEntry, JournalRecord, JsonValue, Repair };

const defaultSegmentBytes = 8 * 1024 * 1024;

/** Record types that only the journal itself writes. */
const ownTypes = ['segment', 'repair'];

export interface JournalOptions {
  /** Folder of the segments; made with mode 0700. */
  readonly folder: string;
  /** Size in bytes at which a new segment is begun. Default 8 MiB. */
  readonly segmentBytes?: number;
  /**
   * Returns the state with which a new segment begins, so that a restart has to read only that segment. It must include
   * every record whose `append` has resolved, so the state must be updated right after `append`, without waiting for
   * anything else. It is called between appends, never by `open`. A new journal begins with `null`.
   */
  readonly carry?: () => JsonValue;
  /** Called when a new segment has begun and the one before is complete. Must not wait for an append. */
  readonly rotated?: () => void;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Replaced by tests. */
  readonly files?: JournalFiles;
}

export class Journal {
  readonly folder: string;
  readonly #adapter: JournalAdapter;
  readonly #db: Low<JournalData>;
  readonly #listeners = new Set<(entry: JournalEntry) => void>();
  #closed: Promise<void> | undefined;

  private constructor(folder: string, adapter: JournalAdapter, db: Low<JournalData>) {
    this.folder = folder;
    this.#adapter = adapter;
    this.#db = db;
  }

  /**
   * Opens a journal for writing, or begins one. An interrupted last write, which was not acknowledged, is cut off,
   * reported as {@link repaired} and recorded. Rejects with `journal-damaged` (see `findEnding`), or with
   * `journal-unwritable` if the disk fails or another process has the journal open.
   */
  static async open(options: JournalOptions): Promise<Journal> {
    const adapter = new JournalAdapter({
      folder: options.folder,
      segmentBytes: options.segmentBytes ?? defaultSegmentBytes,
      carry: options.carry ?? (() => null),
      now: options.now ?? Date.now,
      files: options.files ?? realFiles,
      rotated: options.rotated ?? (() => undefined),
    });
    const db = new Low<JournalData>(adapter, { head: genesis, pending: [] });
    await db.read();
    return new Journal(options.folder, adapter, db);
  }

  /** The last record that is on disk. */
  get head(): ChainHead {
    return this.#db.data.head;
  }

  /** The interrupted write that was cut off when the journal was opened. */
  get repaired(): Repair | undefined {
    return this.#adapter.repaired;
  }

  /**
   * Appends a record. Resolves with its number and hash when it is on disk. Concurrent appends share one write and keep
   * their order. Rejects with `journal-unwritable` (nothing was recorded; a later append may succeed),
   * `journal-damaged` (another program has changed the segment; all later appends fail too), `input-too-large`,
   * `shutting-down` after `close`, or `internal` for an invalid entry.
   */
  async append(entry: JournalEntry): Promise<ChainHead> {
    if (this.#closed !== undefined) throw new Failure('shutting-down', { what: 'the journal', why: 'it is closed' });
    if (ownTypes.includes(entry.type)) {
      const why = `the type "${entry.type}" is reserved`;
      throw new Failure('internal', { what: 'journal entry', why, next: 'report this' });
    }
    const record: PendingRecord = { fields: entryText(entry) };
    let failure: unknown;
    try {
      await this.#db.update(({ pending }) => pending.push(record));
    } catch (error) {
      failure = error;
    }
    // If the disk fails in the middle of a batch, its first records may be on disk all the same.
    if (record.written !== undefined) {
      for (const listener of this.#listeners) listener(entry);
      return record.written;
    }
    throw Failure.from(failure);
  }

  /** Calls `listener` with each record that was appended, and returns a function that ends that. */
  subscribe(listener: (entry: JournalEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Yields the acknowledged records of the last segment. */
  async *currentSegment(): AsyncGenerator<JournalRecord, void, undefined> {
    const { segment, bytes } = this.#adapter.end;
    for await (const lines of readLines(segmentPath(this.folder, segment), { endBytes: bytes })) {
      for (const line of lines) {
        const parsed = parseLine(line.bytes);
        if (!parsed.ok) throw damaged(this.folder, { segment: segmentName(segment), line: line.number }, parsed.reason);
        yield parsed.record;
      }
    }
  }

  /** Waits for running appends, writes `head.json` and releases the journal. */
  close(): Promise<void> {
    this.#closed ??= this.#adapter.close();
    return this.#closed;
  }
}
